// The CRDs (crds/) and the codec's field lists (datastore/codec) name the same fields with the same JSON types, for
// every kind of projectcalico.org. Calico's names decide.
//
//   every property of a schema ─▶ a value of each JSON type at that place ─▶ decode: it must object to the wrong types
//   every name of a field list ─▶ a property of some schema; every member of the samples ─▶ of its own
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "base/json/value.h"
#include "base/json/yaml.h"
#include "datastore/codec/any_kind.h"
#include "datastore/codec/codec.h"
#include "datastore/model/key.h"
#include "datastore/schema/node.h"
#include "datastore/schema/registry.h"

namespace margay::test {
namespace {

using schema::NodeType;
using schema::SchemaNode;

constexpr std::string_view kCalico = "projectcalico.org/v3";

// A property, or the element of a list or map.
struct Place {
  struct Step {
    std::string name;  // of a member, or of a key
    char kind = '.';   // '.' member, '#' element of a list, '[' key of a map
  };
  std::vector<Step> steps;
  const SchemaNode* node = nullptr;

  [[nodiscard]] Place then(Step step, const SchemaNode& next) const {
    Place out{steps, &next};
    out.steps.push_back(std::move(step));
    return out;
  }
  // As errors write it.
  [[nodiscard]] std::string path() const {
    std::string out;
    for (const Step& step : steps) {
      if (step.kind == '#') {
        out += "[0]";
      } else if (step.kind == '[') {
        out += concat('[', step.name, ']');
      } else {
        append_member_path(out, step.name);
      }
    }
    return out;
  }
  // An object with nothing but `value`, at this place.
  [[nodiscard]] json::Value object_with(json::Value value) const {
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
      if (step->kind == '#') {
        value = json::Value(json::Array{std::move(value)});
      } else {
        json::Object around;
        around.append_new(step->name, std::move(value));
        value = json::Value(std::move(around));
      }
    }
    return value;
  }
};

void collect(const Place& at, std::vector<Place>& out) {
  // Keys of maps are text, but for those that count something, which take only numbers.
  constexpr const char* kKey = "1";
  for (const auto& [name, node] : at.node->properties) {
    out.push_back(at.then({name, '.'}, *node));
    collect(Place(out.back()), out);
  }
  if (at.node->additional_properties != nullptr) {
    out.push_back(at.then({kKey, '['}, *at.node->additional_properties));
    collect(Place(out.back()), out);
  }
  if (at.node->items != nullptr) {
    out.push_back(at.then({"", '#'}, *at.node->items));
    collect(Place(out.back()), out);
  }
}

std::vector<Place> places_of(const SchemaNode& root) {
  std::vector<Place> out;
  for (const auto& [name, node] : root.properties) {
    if (name == "apiVersion" || name == "kind" || name == "metadata") continue;
    out.push_back(Place{{{name, '.'}}, node.get()});
    collect(Place(out.back()), out);
  }
  return out;
}

struct Probe {
  const char* type;
  json::Value value;
};
const Probe kProbes[] = {{"string", json::Value("no such word")},
                         {"integer", json::Value(7)},
                         {"boolean", json::Value(true)},
                         {"array", json::Value(json::Array{})},
                         {"object", json::Value(json::Object{})}};

FieldErrors decode_errors(model::Kind kind, const json::Value& object) {
  return codec::visit_kind(kind, [&](auto value) {
    json::Document parser;
    return codec::decode(*parser.parse(json::dump(object)), value);
  });
}

// The JSON types that the codec takes at a place, right or wrong as values may be: "string integer".
std::string taken_types(model::Kind kind, const Place& place) {
  std::string out;
  for (const Probe& probe : kProbes) {
    const FieldErrors errors = decode_errors(kind, place.object_with(probe.value));
    const std::string path = place.path();
    const bool is_refused = std::any_of(errors.begin(), errors.end(), [&](const FieldError& error) {
      return error.kind == FieldError::Kind::kTypeInvalid && error.path == path;
    });
    if (!is_refused) out += concat(out.empty() ? "" : " ", std::string_view(probe.type));
  }
  return out;
}

std::string declared_types(const SchemaNode& node) {
  if (node.is_int_or_string) return "string integer";
  if (node.type == NodeType::kNumber) return "integer";
  return std::string(type_name(node.type));
}

// Where both differ for a reason: "Kind path" to the reason. `*` ends a path that stands for all below it.
const std::map<std::string, const char*, std::less<>>& exceptions() {
  // Their struct is that of rules, whose protocols may be numbers; here the schema takes only the words that the
  // Kubernetes documentation and Calico's name.
  constexpr const char* kWordsOnly = "the schema takes TCP, UDP and SCTP; the codec's type could hold a number";
  static const std::map<std::string, const char*, std::less<>> kAll = {
      {"HostEndpoint spec.ports[0].protocol", kWordsOnly},
      {"WorkloadEndpoint spec.ports[0].protocol", kWordsOnly},
      {"StagedKubernetesNetworkPolicy spec.ingress[0].ports[0].protocol", kWordsOnly},
      {"StagedKubernetesNetworkPolicy spec.egress[0].ports[0].protocol", kWordsOnly},
  };
  return kAll;
}

bool is_excepted(std::string_view kind, std::string_view path) {
  const std::string whole = concat(kind, ' ', path);
  return std::any_of(exceptions().begin(), exceptions().end(), [&](const auto& entry) {
    std::string_view pattern = entry.first;
    if (!pattern.ends_with('*')) return whole == pattern;
    pattern.remove_suffix(1);
    return whole.starts_with(pattern);
  });
}

std::vector<model::Kind> calico_kinds() {
  std::vector<model::Kind> out;
  for (const model::KindInfo& each : model::all_kinds())
    if (each.api_version == kCalico) out.push_back(each.kind);
  return out;
}

std::string source_file(std::string_view path) {
  const char* root = std::getenv("MARGAY_SOURCE_DIR");
  std::ifstream file(concat(root == nullptr ? "." : root, '/', path));
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class Fields : public testing::TestWithParam<model::Kind> {
 protected:
  [[nodiscard]] std::string_view name() const { return model::info(GetParam()).name; }
  [[nodiscard]] const SchemaNode& root() {
    const schema::ResourceInfo* info = registry_->by_kind(kCalico, name());
    EXPECT_NE(info, nullptr) << name();
    return *registry_->schema(*info).at("");
  }

  std::unique_ptr<schema::Registry> registry_ = schema::make_registry();
};

INSTANTIATE_TEST_SUITE_P(Kinds, Fields, testing::ValuesIn(calico_kinds()),
                         [](const auto& test) { return std::string(model::info(test.param).name); });

TEST_P(Fields, OfTheSchemaAreKnownToTheCodecWithTheSameTypes) {
  for (const Place& place : places_of(root())) {
    const std::string path = place.path();
    if (is_excepted(name(), path)) continue;
    EXPECT_EQ(taken_types(GetParam(), place), declared_types(*place.node)) << name() << ' ' << path;
  }
}

TEST_P(Fields, OfTheSampleAreInTheSchema) {
  const std::string text = source_file(concat("datastore/codec/testdata/", to_lower(name()), ".yaml"));
  const auto documents = json::parse_yaml(text);
  ASSERT_TRUE(documents.ok() && documents->size() == 1) << name();
  const schema::ResourceInfo* info = registry_->by_kind(kCalico, name());
  for (const FieldError& error : registry_->schema(*info).unknown_fields(documents->front().value)) {
    if (!is_excepted(name(), error.path)) ADD_FAILURE() << name() << ' ' << error.path << ": " << error.message;
  }
}

// The names in a.field("…") and a.required("…").
std::set<std::string> listed_names(const std::string& source) {
  std::set<std::string> out;
  for (const std::string_view call : {"a.field(\"", "a.required(\""}) {
    for (std::size_t at = source.find(call); at != std::string::npos; at = source.find(call, at + 1)) {
      const std::size_t begin = at + call.size();
      out.insert(source.substr(begin, source.find('"', begin) - begin));
    }
  }
  return out;
}

TEST(FieldLists, EveryNameIsAPropertyOfSomeSchema) {
  const auto registry = schema::make_registry();
  std::set<std::string> declared;
  for (const model::Kind kind : calico_kinds()) {
    const schema::ResourceInfo* info = registry->by_kind(kCalico, model::info(kind).name);
    ASSERT_NE(info, nullptr);
    for (const Place& place : places_of(*registry->schema(*info).at("")))
      if (place.steps.back().kind == '.') declared.insert(place.steps.back().name);
  }
  std::size_t count = 0;
  for (const char* file :
       {"bgp", "bgp_filter", "configuration", "endpoint", "felix_bpf", "felix_host", "felix_netfilter", "felix_process",
        "felix_reporting", "felix_routes", "felix_tunnels", "ip", "node_status", "policy", "rule"}) {
    const std::set<std::string> names = listed_names(source_file(concat("datastore/codec/", file, "_fields.cc")));
    EXPECT_FALSE(names.empty()) << file;
    count += names.size();
    for (const std::string& name : names) {
      if (name == "metadata" || name == "spec" || name == "status") continue;
      EXPECT_TRUE(declared.contains(name) || is_excepted("*", name)) << file << "_fields.cc: " << name;
    }
  }
  EXPECT_GT(count, 300U) << "the source is read as it is written";
}

// An exception that nothing needs any more hides the next mistake.
TEST(FieldLists, EveryExceptionIsNeeded) {
  const auto registry = schema::make_registry();
  for (const auto& [pattern, why] : exceptions()) {
    if (pattern.starts_with("* ")) continue;
    const auto parts = split_once(pattern, ' ');
    ASSERT_TRUE(parts) << pattern;
    const auto kind = model::find_kind(kCalico, parts->first);
    ASSERT_TRUE(kind) << pattern;
    bool is_needed = false;
    for (const Place& place : places_of(*registry->schema(*registry->by_kind(kCalico, parts->first)).at(""))) {
      if (!is_excepted(parts->first, place.path())) continue;
      is_needed = is_needed || taken_types(*kind, place) != declared_types(*place.node);
    }
    EXPECT_TRUE(is_needed) << pattern << ": " << why;
  }
}

}  // namespace
}  // namespace margay::test
