// Selectors against the rows taken from Calico's own tests.
#include <string>

#include "base/core/text.h"
#include "datastore/selector/restrictions.h"
#include "datastore/selector/selector.h"
#include "gtest/gtest.h"
#include "test/conformance/conformance_data.h"

namespace margay::conformance {
namespace {

using selector::Selector;

class Selectors : public testing::Test {
 protected:
  void SetUp() override {
    auto data = load("selectors/selectors.json");
    if (!data) GTEST_SKIP() << "no conformance data: set MARGAY_CONFORMANCE_DIR";
    data_ = std::move(*data);
  }

  const json::Array& rows(std::string_view table) { return *get(data_, table).as_array(); }

  json::Value data_;
};

StringMap labels_of(const json::Value& object) {
  StringMap labels;
  for (const json::Member& member : *object.as_object()) labels.set(member.name, *member.value.as_string());
  return labels;
}

Selector parsed(const json::Value& row) {
  const std::string_view text = row.string_at({"selector"});
  const Result<Selector> result = Selector::parse(text);
  EXPECT_TRUE(result.ok()) << text << ": " << (result.ok() ? "" : result.error().message);
  return result.ok() ? *result : Selector();
}

TEST_F(Selectors, Match) {
  EXPECT_GT(rows("match").size(), 50U);
  for (const json::Value& row : rows("match")) {
    const Selector selector = parsed(row);
    EXPECT_EQ(selector.canonical(), row.string_at({"canonical"})) << row.string_at({"selector"});
    for (const json::Value& labels : *get(row, "matches").as_array()) {
      EXPECT_TRUE(selector.matches(labels_of(labels))) << selector.canonical() << " " << json::dump(labels);
    }
    for (const json::Value& labels : *get(row, "non_matches").as_array()) {
      EXPECT_FALSE(selector.matches(labels_of(labels))) << selector.canonical() << " " << json::dump(labels);
    }
  }
}

TEST_F(Selectors, BadTextIsRefused) {
  for (const json::Value& row : rows("bad")) EXPECT_FALSE(Selector::parse(*row.as_string()).ok()) << *row.as_string();
}

TEST_F(Selectors, CanonicalText) {
  for (const json::Value& row : rows("canonical")) {
    EXPECT_EQ(parsed(row).canonical(), row.string_at({"canonical"})) << row.string_at({"selector"});
  }
}

TEST_F(Selectors, LabelPrefix) {
  for (const json::Value& row : rows("prefix_visitor")) {
    EXPECT_EQ(parsed(row).with_label_prefix(row.string_at({"prefix"})).canonical(),
              row.string_at({"canonical_after_prefix"}));
  }
}

json::Value restrictions_json(const selector::LabelRestrictions& restrictions) {
  json::Value out = json::Object();
  for (const auto& [label, restriction] : restrictions) {
    json::Value entry = json::Object();
    entry["must_be_present"] = json::Value(restriction.must_be_present);
    entry["must_be_absent"] = json::Value(restriction.must_be_absent);
    if (restriction.must_have_one_of) {
      json::Array values(restriction.must_have_one_of->begin(), restriction.must_have_one_of->end());
      entry["must_have_one_of"] = json::Value(std::move(values));
    }
    out[label] = std::move(entry);
  }
  return out;
}

TEST_F(Selectors, Restrictions) {
  for (const json::Value& row : rows("label_restrictions")) {
    EXPECT_EQ(restrictions_json(selector::restrictions_of(parsed(row))), get(row, "restrictions"))
        << row.string_at({"selector"}) << " has "
        << json::dump(restrictions_json(selector::restrictions_of(parsed(row))));
  }
}

// The rows of tokens that are no whole selector can only be held against "it is refused".
TEST_F(Selectors, Tokens) {
  for (const json::Value& row : rows("tokens")) {
    const std::string_view text = row.string_at({"input"});
    const bool is_bad = *get(row, "error").as_bool();
    const bool is_fragment = text.find(" in c") != std::string_view::npos ||
                             text.find("in\"c\"") != std::string_view::npos ||
                             text.find("in  c") != std::string_view::npos;
    EXPECT_EQ(Selector::parse(text).ok(), !is_bad && !is_fragment) << text;
  }
}

}  // namespace
}  // namespace margay::conformance
