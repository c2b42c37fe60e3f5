#include "dataplane/bpf/map_driver.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <tuple>

#include "base/core/random.h"

namespace margay::bpf {
namespace {

struct NumberCodec {
  using Key = std::uint32_t;
  using Value = std::uint32_t;
  using RawKey = std::uint32_t;
  using RawValue = std::uint64_t;
  static RawKey key_of(Key key) { return key + 1000; }
  static RawValue value_of(Value value) { return value; }
  static std::optional<std::pair<Key, Value>> read(RawKey key, RawValue value) {
    if (key < 1000) return std::nullopt;
    return std::pair(key - 1000, static_cast<Value>(value));
  }
};

// A map in memory; can refuse.
class FakeMap final : public RawMap {
 public:
  Status put(ByteView keys, ByteView values, std::uint32_t count) override {
    ++puts;
    if (is_failing) return Error{ErrorCode::kUnavailable, "told to fail"};
    for (std::uint32_t i = 0; i < count; ++i)
      elements[number<std::uint32_t>(keys, i)] = number<std::uint64_t>(values, i);
    return ok_status();
  }
  Status remove(ByteView key) override {
    if (is_failing) return Error{ErrorCode::kUnavailable, "told to fail"};
    elements.erase(number<std::uint32_t>(key, 0));
    return ok_status();
  }
  Status walk(const std::function<void(ByteView, ByteView)>& visit) override {
    for (const auto& [key, value] : elements)
      visit(std::as_bytes(std::span(&key, 1)), std::as_bytes(std::span(&value, 1)));
    return ok_status();
  }

  std::map<std::uint32_t, std::uint64_t> elements;
  int puts = 0;
  bool is_failing = false;

 private:
  template <class T>
  static T number(ByteView bytes, std::size_t index) {
    T out{};
    std::memcpy(&out, bytes.data() + index * sizeof(T), sizeof(T));
    return out;
  }
};

struct Applied {
  std::size_t updated = 0, removed = 0;
};

Applied apply(MapDriver<NumberCodec>& driver) {
  Applied out;
  EXPECT_TRUE(driver.apply_updates(out.updated).ok());
  EXPECT_TRUE(driver.apply_removes(out.removed).ok());
  return out;
}

TEST(MapDriver, WritesOnlyTheDifference) {
  FakeMap map;
  map.elements = {{1001, 5}, {1002, 6}, {1003, 7}, {3, 9}};  // 3 is none of ours
  MapDriver<NumberCodec> driver(map);
  driver.set(1, 5);
  driver.set(2, 60);
  driver.set(4, 8);
  ASSERT_TRUE(driver.resync().ok());
  const Applied done = apply(driver);
  EXPECT_EQ(std::tuple(done.updated, done.removed), std::tuple(2U, 1U));
  EXPECT_EQ(map.elements, (std::map<std::uint32_t, std::uint64_t>{{3, 9}, {1001, 5}, {1002, 60}, {1004, 8}}));
  EXPECT_TRUE(driver.is_in_sync());
}

TEST(MapDriver, ManyGoInFewBatches) {
  FakeMap map;
  MapDriver<NumberCodec> driver(map);
  constexpr std::uint32_t kCount = 10000;
  for (std::uint32_t i = 0; i < kCount; ++i) driver.set(i, i);
  EXPECT_EQ(apply(driver).updated, kCount);
  EXPECT_EQ(map.elements.size(), kCount);
  EXPECT_EQ(map.puts, 3);
}

TEST(MapDriver, WhatFailedIsTriedAgain) {
  FakeMap map;
  MapDriver<NumberCodec> driver(map);
  driver.set(1, 1);
  map.is_failing = true;
  std::size_t updated = 0;
  EXPECT_FALSE(driver.apply_updates(updated).ok());
  EXPECT_EQ(updated, 0U);
  EXPECT_FALSE(driver.is_in_sync());
  map.is_failing = false;
  EXPECT_EQ(apply(driver).updated, 1U);
  driver.remove(1);
  map.is_failing = true;
  std::size_t removed = 0;
  EXPECT_FALSE(driver.apply_removes(removed).ok());
  map.is_failing = false;
  EXPECT_EQ(apply(driver).removed, 1U);
  EXPECT_TRUE(map.elements.empty());
}

TEST(MapDriver, EndsAsDesiredWhateverHappened) {
  SeededRandom random(20261122);
  FakeMap map;
  MapDriver<NumberCodec> driver(map);
  std::map<std::uint32_t, std::uint64_t> wanted;
  for (int step = 0; step < 3000; ++step) {
    const auto key = static_cast<std::uint32_t>(random.below(40));
    switch (random.below(6)) {
      case 0:
        driver.remove(key);
        wanted.erase(key + 1000);
        break;
      case 1: map.elements[1000 + key] = random.below(3); break;  // somebody else
      case 2: map.is_failing = random.below(2) == 0; break;
      default:
        driver.set(key, static_cast<std::uint32_t>(step % 3));
        wanted[key + 1000] = static_cast<std::uint64_t>(step % 3);
    }
    std::size_t count = 0;
    static_cast<void>(driver.apply_updates(count));
    static_cast<void>(driver.apply_removes(count));
  }
  map.is_failing = false;
  ASSERT_TRUE(driver.resync().ok());
  apply(driver);
  EXPECT_EQ(map.elements, wanted);
}

}  // namespace
}  // namespace margay::bpf
