#include "datastore/patch/apply.h"

#include "base/core/text.h"
#include "base/core/time_text.h"
#include "base/json/random_value.h"
#include "datastore/patch/managed_fields.h"
#include "datastore/patch/test_lists.h"
#include "datastore/patch/test_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::patch {
namespace {

using json::Value;
using test::parsed;
using testing::ElementsAre;

// One object on a server and the managers who work on it; each request comes a second after the one before.
class World {
 public:
  Value live;

  // The spec that results, or why not.
  std::string apply(std::string_view manager, std::string_view spec, OnConflict on_conflict = OnConflict::kFail) {
    return apply_object(manager, object(spec), on_conflict);
  }
  std::string apply_object(std::string_view manager, const Value& config, OnConflict on_conflict = OnConflict::kFail) {
    now_ += std::chrono::seconds(1);
    auto result = apply_configuration(live, config, {std::string(manager), on_conflict, now_, ""}, TestLists());
    if (!result.ok()) return result.error().message;
    live = std::move(result).value();
    return spec();
  }
  std::string update(std::string_view manager, std::string_view spec_text, std::string_view subresource = "") {
    Value after = live.is_null() ? object("{}") : live;
    after["spec"] = parsed(spec_text);
    return update_object(manager, std::move(after), subresource);
  }
  std::string update_object(std::string_view manager, Value after, std::string_view subresource = "") {
    now_ += std::chrono::seconds(1);
    live = update_managed_fields(live, std::move(after), {std::string(manager), now_, std::string(subresource)},
                                 TestLists());
    return spec();
  }

  std::string spec() const { return live.find("spec") == nullptr ? "none" : json::dump(*live.find("spec")); }

  // "one Apply 10:00:01 {…}", of fields below spec only what is there.
  std::vector<std::string> managers() const {
    std::vector<std::string> out;
    const Value* list = live.find({"metadata", "managedFields"});
    if (list == nullptr) return out;
    for (const Value& entry : *list->as_array()) {
      out.push_back(concat(entry.string_at({"manager"}), " ", entry.string_at({"operation"}), " ",
                           entry.string_at({"time"}).substr(17, 2), " ", json::dump(*entry.find("fieldsV1"))));
    }
    return out;
  }

  static Value object(std::string_view spec_text) {
    return parsed(concat(R"({"apiVersion":"x.org/v1","kind":"Foo","metadata":{"name":"f"},"spec":)", spec_text, "}"));
  }

 private:
  WallTime now_ = parse_timestamp("2026-08-22T10:00:00Z").value();
};

TEST(Apply, CreatesAndOwnsWhatItSays) {
  World world;
  EXPECT_EQ(
      world.apply("one", R"({"a":1,"o":{"p":1},"set":["x"],"map":[{"name":"m","x":1}],"list":[1],"atom":{"p":1}})"),
      R"({"a":1,"o":{"p":1},"set":["x"],"map":[{"name":"m","x":1}],"list":[1],"atom":{"p":1}})");
  EXPECT_EQ(
      dump(*world.live.find({"metadata", "managedFields"})),
      R"([{"manager":"one","operation":"Apply","apiVersion":"x.org/v1","time":"2026-08-22T10:00:01Z","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:a":{},"f:atom":{},"f:list":{},"f:map":{"k:{\"name\":\"m\",\"port\":80}":{".":{},"f:name":{},"f:x":{}}},"f:o":{"f:p":{}},"f:set":{"v:\"x\"":{}}}}}])");
}

TEST(Apply, AgainChangesNothingNotEvenTheTime) {
  World world;
  world.apply("one", R"({"a":1,"set":["x"]})");
  const Value before = world.live;
  world.apply("one", R"({"set":["x"],"a":1})");
  EXPECT_EQ(world.live, before);
}

TEST(Apply, TwoManagersOwnDifferentFields) {
  World world;
  world.apply("one", R"({"a":1})");
  EXPECT_EQ(world.apply("two", R"({"b":2})"), R"({"a":1,"b":2})");
  EXPECT_EQ(world.apply("one", R"({"a":5})"), R"({"a":5,"b":2})");
  EXPECT_THAT(world.managers(),
              ElementsAre(R"(two Apply 02 {"f:spec":{"f:b":{}}})", R"(one Apply 03 {"f:spec":{"f:a":{}}})"));
}

TEST(Apply, SameValueIsSharedNotAConflict) {
  World world;
  world.apply("one", R"({"a":1})");
  EXPECT_EQ(world.apply("two", R"({"a":1})"), R"({"a":1})");
  EXPECT_THAT(world.managers(),
              ElementsAre(R"(one Apply 01 {"f:spec":{"f:a":{}}})", R"(two Apply 02 {"f:spec":{"f:a":{}}})"));
}

TEST(Apply, ConflictNamesManagerAndField) {
  World world;
  world.apply("one", R"({"a":1,"b":1})");
  const Value before = world.live;
  EXPECT_EQ(world.apply("two", R"({"a":2})"), R"(Apply failed with 1 conflict: conflict with "one": .spec.a)");
  EXPECT_EQ(world.live, before);
  EXPECT_EQ(world.apply("two", R"({"a":2,"b":2})"),
            "Apply failed with 2 conflicts: conflicts with \"one\":\n- .spec.a\n- .spec.b");
}

TEST(Apply, ConflictWithAnUpdateNamesTheVersion) {
  World world;
  world.update("kubectl-edit", R"({"nodeSelector":"a == 'b'"})");
  EXPECT_EQ(world.apply("two", R"({"nodeSelector":"a == 'c'"})"),
            R"(Apply failed with 1 conflict: conflict with "kubectl-edit" using x.org/v1: .spec.nodeSelector)");
}

TEST(Apply, ConflictsAreGroupedByManager) {
  World world;
  world.update("zed", R"({"map":[{"name":"m","port":80,"x":1}],"a":1})");
  world.apply("one", R"({"map":[{"name":"n","x":1}],"a":1})");
  const auto result =
      apply_configuration(world.live, World::object(R"({"a":2,"map":[{"name":"m","x":2},{"name":"n","x":2}]})"),
                          {"two", OnConflict::kFail, {}, ""}, TestLists());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message,
            "Apply failed with 4 conflicts: conflicts with \"one\":\n- .spec.a\n- .spec.map[name=\"n\",port=80].x\n"
            "conflicts with \"zed\" using x.org/v1:\n- .spec.a\n- .spec.map[name=\"m\",port=80].x");
  ASSERT_EQ(result.error().conflicts.size(), 4U);
  EXPECT_EQ(result.error().conflicts[1].message, R"(conflict with "one")");
  EXPECT_EQ(result.error().conflicts[1].field, R"(.spec.map[name="n",port=80].x)");
  EXPECT_EQ(result.error().conflicts[2].message, R"(conflict with "zed" using x.org/v1)");
}

TEST(Apply, ForceTakesTheField) {
  World world;
  world.apply("one", R"({"a":1,"b":1})");
  EXPECT_EQ(world.apply("two", R"({"a":2})", OnConflict::kForce), R"({"a":2,"b":1})");
  EXPECT_THAT(world.managers(),
              ElementsAre(R"(one Apply 01 {"f:spec":{"f:b":{}}})", R"(two Apply 02 {"f:spec":{"f:a":{}}})"));
  // It is gone for the one who had it: what it does not own it cannot remove.
  EXPECT_EQ(world.apply("one", R"({"b":1})"), R"({"a":2,"b":1})");
}

TEST(Apply, RemovesWhatItNoLongerApplies) {
  const struct Case {
    const char* why;
    const char* first;
    const char* second;
    const char* result;
  } cases[] = {
      {"a scalar", R"({"a":1,"b":1})", R"({"b":1})", R"({"b":1})"},
      {"an object", R"({"o":{"p":1,"q":1},"b":1})", R"({"b":1})", R"({"b":1})"},
      {"a member of an object", R"({"o":{"p":1,"q":1}})", R"({"o":{"q":1}})", R"({"o":{"q":1}})"},
      {"the last member: the object stays, empty", R"({"o":{"p":1}})", R"({"o":{}})", R"({"o":{}})"},
      {"an element of a set", R"({"set":["x","y","z"]})", R"({"set":["z"]})", R"({"set":["z"]})"},
      {"a set", R"({"a":1,"set":["x"]})", R"({"a":1})", R"({"a":1})"},
      {"an element of a map", R"({"map":[{"name":"m","x":1},{"name":"n"}]})", R"({"map":[{"name":"n"}]})",
       R"({"map":[{"name":"n"}]})"},
      {"a member of an element", R"({"map":[{"name":"m","x":1}]})", R"({"map":[{"name":"m"}]})",
       R"({"map":[{"name":"m"}]})"},
      {"an element is another with another key", R"({"map":[{"name":"m","port":1}]})",
       R"({"map":[{"name":"m","port":2}]})", R"({"map":[{"name":"m","port":2}]})"},
      {"an atomic list", R"({"a":1,"list":[1,2]})", R"({"a":1})", R"({"a":1})"},
      {"an element of an atomic list", R"({"list":[1,2]})", R"({"list":[2]})", R"({"list":[2]})"},
      {"a member of an atomic object", R"({"atom":{"p":1,"q":1}})", R"({"atom":{"q":1}})", R"({"atom":{"q":1}})"},
      {"everything", R"({"a":1,"o":{"p":1}})", R"({})", R"({})"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    World world;
    ASSERT_EQ(world.apply("one", c.first), c.first);
    EXPECT_EQ(world.apply("one", c.second), c.result);
  }
}

TEST(Apply, KeepsWhatAnotherOwnsToo) {
  const struct Case {
    const char* why;
    const char* first;
    const char* others;
    const char* second;
    const char* result;
  } cases[] = {
      {"a scalar", R"({"a":1})", R"({"a":1})", "{}", R"({"a":1})"},
      {"a member of an object that goes", R"({"o":{"p":1,"q":1}})", R"({"o":{"q":1}})", "{}", R"({"o":{"q":1}})"},
      {"a member of its own", R"({"o":{"p":1}})", R"({"o":{"r":1}})", "{}", R"({"o":{"r":1}})"},
      {"an element of a set", R"({"set":["x","y"]})", R"({"set":["y"]})", "{}", R"({"set":["y"]})"},
      {"an element of a map", R"({"map":[{"name":"m","x":1}]})", R"({"map":[{"name":"m","y":1}]})", "{}",
       R"({"map":[{"name":"m","y":1}]})"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    World world;
    world.apply("one", c.first);
    world.apply("two", c.others);
    EXPECT_EQ(world.apply("one", c.second), c.result);
  }
}

TEST(Apply, LeavesAloneWhatItNeverOwned) {
  World world;
  world.apply("one", R"({"o":{"p":1},"b":1})");
  world.update("defaulter", R"({"o":{"p":1,"d":7},"b":1,"e":8})");
  EXPECT_EQ(world.apply("one", R"({"b":1})"), R"({"o":{"d":7},"b":1,"e":8})");
}

TEST(Apply, GivesUpWhatItNoLongerMentionsButSharesWithAnUpdate) {
  World world;
  world.update("edit", R"({"a":1})");
  world.apply("one", R"({"a":1,"b":1})");
  EXPECT_EQ(world.apply("one", R"({"b":1})"), R"({"a":1,"b":1})");
  EXPECT_THAT(world.managers(),
              ElementsAre(R"(one Apply 03 {"f:spec":{"f:b":{}}})", R"(edit Update 01 {"f:spec":{".":{},"f:a":{}}})"));
}

TEST(Apply, OwnsNoMetadataTheServerSets) {
  World world;
  world.apply_object("one", parsed(R"({"apiVersion":"v1","kind":"K","metadata":{"name":"n","namespace":"s","uid":"u",
      "resourceVersion":"1","generation":1,"creationTimestamp":null,"labels":{"a":"b"},"finalizers":["x/y"]}})"));
  EXPECT_THAT(world.managers(),
              ElementsAre(R"(one Apply 01 {"f:metadata":{"f:finalizers":{"v:\"x/y\"":{}},"f:labels":{"f:a":{}}}})"));
  world.apply_object("one", parsed(R"({"apiVersion":"v1","kind":"K","metadata":{"name":"n"}})"));
  EXPECT_EQ(world.live.string_at({"metadata", "uid"}), "u");
  EXPECT_EQ(world.live.find({"metadata", "labels"}), nullptr);
  EXPECT_EQ(world.live.find({"metadata", "managedFields"}), nullptr);
}

TEST(Apply, RefusesConfigurationsThatAreWrong) {
  World world;
  EXPECT_EQ(world.apply("one", R"({"set":["x","x"]})"), R"(.spec.set: duplicate entries for key [="x"])");
  EXPECT_EQ(world.apply_object("one", parsed(R"({"metadata":{"managedFields":[]}})")),
            "metadata.managedFields must be nil");
  EXPECT_EQ(world.apply_object("one", parsed("[]")), "the configuration must be an object");
  EXPECT_TRUE(world.live.is_null());
}

TEST(Apply, FirstTimeOnAnUntrackedObject) {
  World world;
  world.live = World::object(R"({"a":1,"b":1})");
  EXPECT_EQ(world.apply("one", R"({"a":2})"),
            R"(Apply failed with 1 conflict: conflict with "before-first-apply" using x.org/v1: .spec.a)");
  EXPECT_EQ(world.apply("one", R"({"a":1})"), R"({"a":1,"b":1})");
  EXPECT_THAT(world.managers(), ElementsAre(R"(one Apply 02 {"f:spec":{"f:a":{}}})",
                                            R"(before-first-apply Update 02 {"f:spec":{".":{},"f:a":{},"f:b":{}}})"));
}

TEST(Update, OwnsWhatItChanges) {
  World world;
  world.update("creator", R"({"a":1,"o":{"p":1},"set":["x"]})");
  EXPECT_THAT(
      world.managers(),
      ElementsAre(
          R"(creator Update 01 {"f:spec":{".":{},"f:a":{},"f:o":{".":{},"f:p":{}},"f:set":{".":{},"v:\"x\"":{}}}})"));
  world.update("editor", R"({"a":2,"o":{"p":1,"q":1},"set":["x","y"]})");
  EXPECT_THAT(
      world.managers(),
      ElementsAre(R"(creator Update 01 {"f:spec":{".":{},"f:o":{".":{},"f:p":{}},"f:set":{".":{},"v:\"x\"":{}}}})",
                  R"(editor Update 02 {"f:spec":{"f:a":{},"f:o":{"f:q":{}},"f:set":{"v:\"y\"":{}}}})"));
}

TEST(Update, WithoutAChangeKeepsTheTime) {
  World world;
  world.update("creator", R"({"a":1})");
  world.update("creator", R"({"a":1})");
  EXPECT_THAT(world.managers(), ElementsAre(R"(creator Update 01 {"f:spec":{".":{},"f:a":{}}})"));
  world.update("creator", R"({"a":2})");
  EXPECT_THAT(world.managers(), ElementsAre(R"(creator Update 03 {"f:spec":{".":{},"f:a":{}}})"));
}

TEST(Update, RemovalIsNobodysAnyMore) {
  World world;
  world.apply("one", R"({"a":1,"b":1})");
  world.update("editor", R"({"b":1})");
  EXPECT_THAT(world.managers(), ElementsAre(R"(one Apply 01 {"f:spec":{"f:b":{}}})"));
}

TEST(Update, SubresourcesAreManagersOfTheirOwn) {
  World world;
  world.update("m", R"({"a":1})");
  world.update("m", R"({"a":1,"b":1})", "status");
  const Value& entry = world.live.find({"metadata", "managedFields"})->as_array()->back();
  EXPECT_EQ(entry.string_at({"subresource"}), "status");
  EXPECT_EQ(dump(*entry.find("fieldsV1")), R"({"f:spec":{"f:b":{}}})");
  EXPECT_EQ(world.apply("one", R"({"b":2})"),
            R"(Apply failed with 1 conflict: conflict with "m" with subresource "status" using x.org/v1: .spec.b)");
}

TEST(Update, ManagedFieldsOfTheClientCountIfTheyCanBeRead) {
  World world;
  world.update("creator", R"({"a":1})");
  Value mine = world.live;
  mine["metadata"]["managedFields"] = parsed(R"([{"manager":"custom","operation":"Update","apiVersion":"x.org/v1",
      "time":"2020-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:a":{}}}}])");
  world.update_object("editor", mine);
  EXPECT_THAT(world.managers(), ElementsAre(R"(custom Update 00 {"f:spec":{"f:a":{}}})"));

  for (const char* unreadable :
       {"[]", "7", R"([{"operation":"Bogus"}])", R"([{"operation":"Update","fieldsType":"V2"}])",
        R"([{"operation":"Update","fieldsType":"FieldsV1","fieldsV1":{"spec":{}}}])",
        R"([{"operation":"Update","fieldsType":"FieldsV1","time":"yesterday"}])"}) {
    SCOPED_TRACE(unreadable);
    mine["metadata"]["managedFields"] = parsed(unreadable);
    world.update_object("editor", mine);
    EXPECT_THAT(world.managers(), ElementsAre(R"(custom Update 00 {"f:spec":{"f:a":{}}})"));
  }
}

TEST(Update, AnEmptyEntryClearsAndEndsTracking) {
  World world;
  world.update("creator", R"({"a":1})");
  Value mine = world.live;
  mine["metadata"]["managedFields"] = parsed("[{}]");
  mine["spec"]["a"] = 2;
  world.update_object("editor", mine);
  EXPECT_THAT(world.managers(), ElementsAre());
  world.update("editor", R"({"a":3})");
  EXPECT_THAT(world.managers(), ElementsAre());
}

TEST(Update, TooManyManagersBecomeAncient) {
  World world;
  world.apply("applier", R"({"x":1})");
  for (int i = 0; i < 10; ++i) {
    Value next = world.live;
    next["spec"][concat("k", i)] = i;
    world.update_object(concat("m", i), next);
  }
  EXPECT_EQ(world.managers().size(), 11U);
  EXPECT_EQ(world.managers()[1], R"(m0 Update 02 {"f:spec":{"f:k0":{}}})");

  Value next = world.live;
  next["spec"]["k10"] = 1;
  world.update_object("m10", next);
  EXPECT_EQ(world.managers().size(), 11U);
  EXPECT_EQ(world.managers()[0], R"(applier Apply 01 {"f:spec":{"f:x":{}}})");
  EXPECT_EQ(world.managers()[1], R"(ancient-changes Update 03 {"f:spec":{"f:k0":{},"f:k1":{}}})");

  next = world.live;
  next["spec"]["k11"] = 1;
  world.update_object("m11", next);
  EXPECT_EQ(world.managers().size(), 11U);
  EXPECT_EQ(world.managers()[1], R"(ancient-changes Update 04 {"f:spec":{"f:k0":{},"f:k1":{},"f:k2":{}}})");
  EXPECT_EQ(world.managers().back(), R"(m11 Update 13 {"f:spec":{"f:k11":{}}})");
}

TEST(ManagedFields, AncientChangesAreKeptByVersion) {
  ManagedFields managed;
  for (int i = 0; i < 12; ++i) {
    const std::string version = i % 2 == 0 ? "x/v1" : "x/v2";
    managed[{concat("m", i), Operation::kUpdate, version, ""}] = {version, WallTime(std::chrono::seconds(i)),
                                                                  FieldSet::of({{concat("f:", i), true, {}}})};
  }
  cap_update_managers(managed);
  EXPECT_EQ(managed.size(), kUpdateManagersMax);
  EXPECT_EQ(dump(managed.at({"ancient-changes", Operation::kUpdate, "x/v1", ""}).fields.to_value()),
            R"({"f:0":{},"f:2":{}})");
  EXPECT_EQ(dump(managed.at({"ancient-changes", Operation::kUpdate, "x/v2", ""}).fields.to_value()),
            R"({"f:1":{},"f:3":{}})");
}

TEST(ManagedFields, AppliersComeFirstThenTheOlder) {
  const Value list = parsed(R"([
    {"manager":"c","operation":"Update","apiVersion":"v1","time":"2026-01-01T00:00:02Z","fieldsType":"FieldsV1","fieldsV1":{"f:a":{}}},
    {"manager":"b","operation":"Update","apiVersion":"v1","time":"2026-01-01T00:00:01Z","fieldsType":"FieldsV1","fieldsV1":{"f:a":{}}},
    {"manager":"a","operation":"Update","apiVersion":"v1","time":"2026-01-01T00:00:02Z","fieldsType":"FieldsV1","fieldsV1":{"f:a":{}}},
    {"manager":"e","operation":"Update","apiVersion":"v1","time":"2026-01-01T00:00:02Z","fieldsType":"FieldsV1","fieldsV1":{}},
    {"manager":"d","operation":"Apply","apiVersion":"v1","time":"2026-01-01T00:00:09Z","fieldsType":"FieldsV1","fieldsV1":{"f:a":{}}}])");
  const Value sorted = to_value(parse_managed_fields(list).value());
  std::string order;
  for (const Value& entry : *sorted.as_array()) order += entry.string_at({"manager"});
  EXPECT_EQ(order, "dbac");
}

// Whatever two managers apply in whatever order, each gets what it applies, and what both give up is gone.
TEST(Apply, EndsWithWhatTheManagersApplyLast) {
  SeededRandom random(99);
  const TestLists types;
  const auto spec_of = [&] {
    json::Object spec;
    for (std::uint64_t n = random.below(5); n > 0; --n) {
      const std::string name = concat("k", random.below(4));
      spec[name] = random.below(2) == 0 ? Value(static_cast<int>(random.below(2)))
                                        : Value(json::Object{{concat("p", random.below(3)), 1}});
    }
    if (random.below(2) == 0) spec["set"] = json::Array{concat("e", random.below(3)), "both"};
    if (random.below(2) == 0) spec["map"] = json::Array{json::Object{{"name", concat("n", random.below(3))}, {"x", 1}}};
    return json::dump(Value(spec));
  };
  int forced = 0;
  for (int round = 0; round < 120; ++round) {
    SCOPED_TRACE(round);
    World world;
    for (int step = 0; step < 6; ++step) {
      const std::string manager = random.below(2) == 0 ? "one" : "two";
      const std::string spec = spec_of();
      if (world.apply(manager, spec).starts_with("Apply failed")) {
        ++forced;
        ASSERT_FALSE(world.apply(manager, spec, OnConflict::kForce).starts_with("Apply failed"));
      }
      const Value config = World::object(spec);
      const Value repeated = world.live;
      ASSERT_EQ(world.apply(manager, spec), json::dump(*repeated.find("spec"))) << spec;
      ASSERT_EQ(world.live, repeated);
    }
    world.apply("one", "{}");
    world.apply("two", "{}");
    ASSERT_EQ(world.spec(), "{}") << dump(world.live);
  }
  EXPECT_GT(forced, 50);
}

TEST(Apply, MetadataOfNullSaysNothing) {
  World world;
  ASSERT_EQ(world.apply("one", R"({"a":1})"), R"({"a":1})");
  const Value config = parsed(R"({"apiVersion":"v1","kind":"Pod","metadata":null,"spec":{"a":2}})");
  ASSERT_EQ(world.apply_object("one", config), R"({"a":2})");
  const Value once = world.live;
  ASSERT_EQ(world.apply_object("one", config), R"({"a":2})");
  EXPECT_EQ(world.live, once);  // nothing changed, not even a time
}

}  // namespace
}  // namespace margay::patch
