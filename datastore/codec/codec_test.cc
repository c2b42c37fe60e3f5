#include "datastore/codec/codec.h"

#include <algorithm>

#include "base/core/text.h"
#include "datastore/codec/any_kind.h"
#include "datastore/codec/samples.h"
#include "gtest/gtest.h"

namespace margay::codec {
namespace {

// A document decoded as `kind` and encoded over `into`.
struct Passed {
  FieldErrors errors;
  json::Value again;
};
Passed pass(model::Kind kind, const json::Value& document, json::Value into) {
  json::Document parser;
  const Result<json::View> view = parser.parse(json::dump(document));
  EXPECT_TRUE(view.ok());
  return visit_kind(kind, [&](auto object) {
    Passed out{decode(*view, object), std::move(into)};
    encode(object, out.again);
    return out;
  });
}

class EveryKind : public testing::TestWithParam<model::Kind> {
 protected:
  json::Value sample_ = samples::load(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Codec, EveryKind, testing::ValuesIn([] {
                           std::vector<model::Kind> kinds;
                           for (const model::KindInfo& each : model::all_kinds()) kinds.push_back(each.kind);
                           return kinds;
                         }()),
                         [](const auto& test) {
                           const bool is_kubernetes = test.param == model::Kind::kKubernetesNetworkPolicy;
                           return std::string(is_kubernetes ? "Kubernetes" : "") +
                                  std::string(model::info(test.param).name);
                         });

TEST_P(EveryKind, AWholeObjectComesBackAsItWas) {
  const Passed passed = pass(GetParam(), sample_, {});
  EXPECT_EQ(to_string(passed.errors), "");
  EXPECT_EQ(json::dump_pretty(passed.again), json::dump_pretty(pass(GetParam(), passed.again, {}).again));
  EXPECT_TRUE(passed.again == sample_) << "was " << json::dump(sample_) << "\nis  " << json::dump(passed.again);
}

TEST_P(EveryKind, TheStructIsTheSameAfterARoundTrip) {
  visit_kind(GetParam(), [&](auto first) {
    json::Document parser;
    (void)decode(*parser.parse(json::dump(sample_)), first);
    json::Value encoded;
    encode(first, encoded);
    decltype(first) second;
    (void)decode(*parser.parse(json::dump(encoded)), second);
    EXPECT_TRUE(first == second) << json::dump(encoded);
    EXPECT_FALSE(first == decltype(first){});
  });
}

// What a read-modify-write without a modification must not change, down to the order of members.
TEST_P(EveryKind, UnknownMembersStayWhereTheyAre) {
  json::Value document = sample_;
  int count = 0;
  samples::for_each_struct(document,
                           [&](json::Object& object) { object["xUnknown"] = json::Value(concat("kept ", count++)); });
  const Passed passed = pass(GetParam(), document, document);
  EXPECT_EQ(to_string(passed.errors), "");
  EXPECT_EQ(json::dump_pretty(passed.again), json::dump_pretty(document));
}

TEST_P(EveryKind, AWrongTypeAnywhereIsAnErrorAtItsPath) {
  for (const samples::Leaf& leaf : samples::leaves_of(sample_)) {
    if (leaf.path == "apiVersion" || leaf.path == "kind") continue;
    json::Value document = sample_;
    json::Value& value = samples::at(document, leaf);
    // A list is wrong for all but lists; for those (only empty ones are leaves), and for objects, a text is.
    const bool is_scalar = value.as_array() == nullptr && value.as_object() == nullptr;
    value = is_scalar ? json::Value(json::Array{json::Value(1)}) : json::Value("wrong");
    const FieldErrors errors = pass(GetParam(), document, {}).errors;
    const auto found =
        std::find_if(errors.begin(), errors.end(), [&](const FieldError& e) { return e.path == leaf.path; });
    if (found == errors.end()) {
      ADD_FAILURE() << leaf.path << ": no error there, but: " << to_string(errors);
      continue;
    }
    EXPECT_EQ(found->kind, FieldError::Kind::kTypeInvalid) << leaf.path;
    EXPECT_NE(found->message.find("expected"), std::string::npos) << leaf.path << ": " << found->message;
  }
}

TEST_P(EveryKind, NullIsAsGoodAsAbsent) {
  for (const samples::Leaf& leaf : samples::leaves_of(sample_)) {
    if (leaf.path.ends_with(']')) continue;  // an element of a list or map
    json::Value document = sample_;
    samples::at(document, leaf) = json::Value();
    for (const FieldError& error : pass(GetParam(), document, {}).errors) {
      EXPECT_EQ(error.kind, FieldError::Kind::kRequired) << leaf.path << ": " << error.path << ": " << error.message;
      EXPECT_EQ(error.path, leaf.path);
    }
  }
}

TEST_P(EveryKind, AnEmptyObjectGivesDefaultsAndNamesWhatIsRequired) {
  for (const char* text : {"{}", R"({"metadata":{},"spec":{},"status":{}})", R"({"metadata":null,"spec":null})"}) {
    const json::Value document = *json::parse(text);
    for (const FieldError& error : pass(GetParam(), document, {}).errors) {
      EXPECT_EQ(error.kind, FieldError::Kind::kRequired) << text << ": " << error.path << ": " << error.message;
    }
  }
}

TEST_P(EveryKind, WhatIsNoObjectIsAnError) {
  for (const char* text : {"[]", "1", "\"x\"", "null", R"({"spec":[],"metadata":7})"}) {
    EXPECT_FALSE(pass(GetParam(), *json::parse(text), {}).errors.empty()) << text;
  }
}

}  // namespace
}  // namespace margay::codec
