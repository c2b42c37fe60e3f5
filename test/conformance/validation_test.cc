// Objects that must be accepted or refused, with what a server has: the schema of the kind, and the rules in code.
#include <map>
#include <memory>
#include <string>

#include "base/core/text.h"
#include "datastore/codec/defaults.h"
#include "datastore/codec/validate.h"
#include "datastore/schema/registry.h"
#include "datastore/schema/structural.h"
#include "gtest/gtest.h"
#include "test/conformance/conformance_data.h"
#include "test/conformance/validation_cases.h"

namespace margay::conformance {
namespace {

class Validation : public testing::Test {
 protected:
  void open(std::string_view file) {
    auto data = load(file);
    if (!data) GTEST_SKIP() << "no conformance data: set MARGAY_CONFORMANCE_DIR";
    data_ = std::move(*data);
    registry_ = schema::make_registry();
  }

  // As a server takes it in.
  std::string errors_of(const WholeObject& whole) {
    const model::KindInfo& info = model::info(whole.kind);
    const schema::ResourceInfo* resource = registry_->by_kind(info.api_version, info.name);
    if (resource == nullptr) return concat("no schema for ", info.name);
    json::Value object = whole.object;
    const schema::StructuralSchema& schema = registry_->schema(*resource);
    schema.apply_defaults(object);
    FieldErrors errors = schema.validate(object);
    const FieldErrors rules = codec::check(whole.kind, object);
    errors.insert(errors.end(), rules.begin(), rules.end());
    return to_string(errors);
  }

  // Compares; `excused` are cases that may differ, by name, with the reason.
  void expect(const std::string& name, bool is_valid, const std::string& errors,
              const std::map<std::string, std::string, std::less<>>& excused) {
    ++cases_;
    const bool agrees = errors.empty() == is_valid;
    if (excused.contains(name)) {
      EXPECT_FALSE(agrees) << name << " agrees: take it off the list of excused cases";
      ++excused_;
    } else {
      EXPECT_TRUE(agrees) << name << ": expected " << (is_valid ? "valid" : "invalid") << ", errors: " << errors;
    }
  }

  json::Value data_;
  std::unique_ptr<schema::Registry> registry_;
  int cases_ = 0;
  int excused_ = 0;
};

bool is_valid(const json::Value& row) { return *get(row, "valid").as_bool(); }

// By "number: description".
const std::map<std::string, std::string, std::less<>> kExcusedValidator = {
    {"440: NodeSpec: should reject node with an empty BGP",
     "there is no such object: Margay keeps these fields in annotations of the Node, where empty is absent"},
};

TEST_F(Validation, CalicoValidator) {
  open("validation/calico_v3_validator.json");
  if (IsSkipped()) return;
  int number = -1;
  for (const json::Value& row : *get(data_, "cases").as_array()) {
    ++number;
    if (!*get(row, "exact").as_bool()) continue;
    const std::string_view type = row.string_at({"type"});
    const auto whole = whole_object(type, get(row, "object"));
    ASSERT_TRUE(whole.has_value()) << type;
    expect(concat(number, ": ", type, ": ", row.string_at({"description"})), is_valid(row), errors_of(*whole),
           kExcusedValidator);
  }
  EXPECT_GT(cases_, 600);
}

const std::map<std::string, std::string, std::less<>> kExcusedCrd = {};

TEST_F(Validation, CalicoCrds) {
  open("validation/calico_crd_validation.json");
  if (IsSkipped()) return;
  int number = -1;
  for (const json::Value& row : *get(data_, "cases").as_array()) {
    ++number;
    const auto whole = whole_object(row.string_at({"type"}), get(row, "object"));
    ASSERT_TRUE(whole.has_value()) << row.string_at({"type"});
    expect(concat(number, ": ", row.string_at({"group"}), ": ", row.string_at({"description"})), is_valid(row),
           errors_of(*whole), kExcusedCrd);
  }
  EXPECT_GT(cases_, 100);
}

// Without members that are null or an empty list, as Go programs write objects.
json::Value without_empty(const json::Value& value) {
  if (const json::Array* array = value.as_array()) {
    json::Array out;
    for (const json::Value& element : *array) out.push_back(without_empty(element));
    return json::Value(std::move(out));
  }
  const json::Object* object = value.as_object();
  if (object == nullptr) return value;
  json::Object out;
  for (const json::Member& member : *object) {
    const bool is_empty_list = member.value.as_array() != nullptr && member.value.as_array()->empty();
    if (!member.value.is_null() && !is_empty_list) out.append_new(member.name, without_empty(member.value));
  }
  return json::Value(std::move(out));
}

const std::map<std::string, std::string, std::less<>> kExcusedKubernetes = {};

TEST_F(Validation, KubernetesNetworkPolicy) {
  open("validation/k8s_networkpolicy_validation.json");
  if (IsSkipped()) return;
  for (const std::string_view table : {"from_tests", "generated", "endport_1_21"}) {
    int number = -1;
    for (const json::Value& row : *get(data_, table).as_array()) {
      ++number;
      if (get(row, "depends_on_go_version").as_bool() != nullptr) continue;
      if (get(row, "old").as_object() != nullptr) continue;  // about a change, not about an object
      const WholeObject whole{model::Kind::kKubernetesNetworkPolicy, get(row, "object")};
      expect(concat(table, ' ', number, ": ", row.string_at({"description"})), is_valid(row), errors_of(whole),
             kExcusedKubernetes);
      if (get(row, "defaulted_spec").is_null()) continue;
      json::Value defaulted = whole.object;
      codec::apply_defaults(whole.kind, defaulted);
      EXPECT_TRUE(without_empty(get(defaulted, "spec")) == without_empty(get(row, "defaulted_spec")))
          << row.string_at({"description"}) << ": has " << json::dump(get(defaulted, "spec"));
    }
  }
  EXPECT_GT(cases_, 300);
}

}  // namespace
}  // namespace margay::conformance
