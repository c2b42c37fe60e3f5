// Random objects of every kind there is: what a server does to them by their schema holds together.
#include <string>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/json/value.h"
#include "datastore/schema/node.h"
#include "datastore/schema/registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::schema {
namespace {

using json::Value;
using testing::IsEmpty;

// Values that follow a schema in most places, and break it in every way in some.
class Generator {
 public:
  explicit Generator(Random& random) : random_(random) {}

  Value value_for(const SchemaNode& node, int depth) {
    if (random_.below(20) == 0) return noise();
    if (!node.enum_values.empty()) return node.enum_values[random_.below(node.enum_values.size())];
    if (node.is_int_or_string) return random_.below(2) == 0 ? Value(small()) : Value("text");
    switch (node.type) {
      case NodeType::kAny: return noise();
      case NodeType::kObject: return object_for(node, depth);
      case NodeType::kArray: return array_for(node, depth);
      case NodeType::kString: return random_.below(2) == 0 ? "10.0.0.0/8" : "Allow";
      case NodeType::kInteger: return small();
      case NodeType::kNumber: return random_.unit() * 100;
      case NodeType::kBoolean: return random_.below(2) == 0;
    }
    return {};
  }

 private:
  int small() { return static_cast<int>(random_.below(200)) - 10; }

  Value noise() {
    switch (random_.below(7)) {
      case 0: return {};
      case 1: return small();
      case 2: return 1e300;
      case 3: return "noise";
      case 4: return json::Array{Value(), 1, "x"};
      case 5: return json::Object{{"a", json::Object{}}, {"b", Value()}};
      default: return true;
    }
  }

  Value object_for(const SchemaNode& node, int depth) {
    json::Object object;
    for (const auto& [name, child] : node.properties) {
      if (depth > 0 && random_.below(3) != 0) object[name] = value_for(*child, depth - 1);
    }
    if (node.additional_properties != nullptr && depth > 0) {
      for (const char* name : {"k", "a.b/c"}) object[name] = value_for(*node.additional_properties, depth - 1);
    }
    if (random_.below(4) == 0) object[concat("unknown", random_.below(3))] = noise();
    return object;
  }

  Value array_for(const SchemaNode& node, int depth) {
    json::Array array;
    for (std::uint64_t n = depth > 0 ? random_.below(4) : 0; n > 0; --n)
      array.push_back(value_for(*node.items, depth - 1));
    return array;
  }

  Random& random_;
};

class EveryKind : public testing::Test {
 protected:
  // Calls `check` with random objects of every kind.
  template <class Check>
  void for_each_object(std::uint64_t seed, Check check) {
    SeededRandom random(seed);
    Generator generator(random);
    for (const ResourceInfo* info : registry_->all()) {
      const StructuralSchema& schema = registry_->schema(*info);
      for (int i = 0; i < 60; ++i) {
        const Value object = generator.value_for(*schema.at(""), 9);
        SCOPED_TRACE(info->kind + " " + json::dump(object));
        check(schema, object);
        if (HasFatalFailure()) return;
      }
    }
  }

  std::unique_ptr<Registry> registry_ = make_registry();
};

TEST_F(EveryKind, PruningLeavesNothingUnknownAndIsDoneOnce) {
  int pruned_objects = 0;
  for_each_object(1, [&](const StructuralSchema& schema, const Value& object) {
    Value pruned = object;
    const std::vector<std::string> removed = schema.prune(pruned);
    pruned_objects += removed.empty() ? 0 : 1;
    ASSERT_EQ(removed.empty(), pruned == object);
    ASSERT_THAT(schema.unknown_fields(pruned), IsEmpty());
    const Value once = pruned;
    ASSERT_THAT(schema.prune(pruned), IsEmpty());
    ASSERT_EQ(pruned, once);
  });
  EXPECT_GT(pruned_objects, 300);
}

// What is reported as unknown is what pruning removes, at the same paths.
TEST_F(EveryKind, UnknownFieldsAreThoseThatPruningRemoves) {
  for_each_object(2, [](const StructuralSchema& schema, const Value& object) {
    std::vector<std::string> unknown;
    for (const FieldError& error : schema.unknown_fields(object)) unknown.push_back(error.path);
    Value pruned = object;
    ASSERT_EQ(schema.prune(pruned), unknown);
  });
}

TEST_F(EveryKind, DefaultsAreFilledInOnce) {
  int changed = 0;
  for_each_object(3, [&](const StructuralSchema& schema, const Value& object) {
    Value once = object;
    schema.apply_defaults(once);
    changed += once == object ? 0 : 1;
    Value twice = once;
    schema.apply_defaults(twice);
    ASSERT_EQ(twice, once);
  });
  EXPECT_GT(changed, 100);
}

// Pruning and defaulting never make an object wrong where it was right, and the verdict on it stays the same.
TEST_F(EveryKind, ShapedObjectsAreValidIfTheyWereBefore) {
  int valid = 0;
  for_each_object(4, [&](const StructuralSchema& schema, const Value& object) {
    Value shaped = object;
    schema.prune(shaped);
    const FieldErrors before = schema.validate(shaped);
    schema.apply_defaults(shaped);
    const FieldErrors after = schema.validate(shaped);
    ASSERT_EQ(schema.validate(shaped), after);
    valid += before.empty() ? 1 : 0;
    if (before.empty()) {
      ASSERT_THAT(after, IsEmpty()) << to_string(after);
    }
  });
  EXPECT_GT(valid, 50);
}

TEST_F(EveryKind, ErrorsHaveAPathAndAReason) {
  int errors_seen = 0;
  for_each_object(5, [&](const StructuralSchema& schema, const Value& object) {
    for (const FieldError& error : schema.validate(object)) {
      ++errors_seen;
      ASSERT_FALSE(error.message.empty());
      ASSERT_LT(error.message.size(), 4000U) << error.message;
      ASSERT_TRUE(!error.path.empty() || object.as_object() == nullptr) << error.message;
    }
  });
  EXPECT_GT(errors_seen, 1000);
}

}  // namespace
}  // namespace margay::schema
