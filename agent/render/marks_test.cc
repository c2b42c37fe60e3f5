#include "agent/render/marks.h"

#include <gtest/gtest.h>

namespace margay::render {
namespace {

TEST(Marks, TakeTheLowestBitsOfTheMask) {
  const Marks marks = Marks::of(0xffff0000).value();
  EXPECT_EQ(marks, (Marks{.accept = 0x10000, .pass = 0x20000, .scratch0 = 0x40000, .scratch1 = 0x80000}));
  EXPECT_EQ(marks.all(), 0xf0000U);
}

TEST(Marks, BitsOfTheMaskNeedNotStandSideBySide) {
  const Marks marks = Marks::of(0x80010101).value();
  EXPECT_EQ(marks, (Marks{.accept = 1, .pass = 0x100, .scratch0 = 0x10000, .scratch1 = 0x80000000}));
}

TEST(Marks, AMaskWithTooFewBitsIsAnError) {
  for (const std::uint32_t mask : {0U, 1U, 0x70000U, 0x80000003U}) {
    const auto marks = Marks::of(mask);
    ASSERT_FALSE(marks.ok()) << mask;
    EXPECT_NE(marks.error().message.find("at least 4"), std::string::npos);
  }
}

TEST(Marks, TextsTouchTheirBitsOnly) {
  EXPECT_EQ(set_mark(0x10000), "-j MARK --set-xmark 0x10000/0x10000");
  EXPECT_EQ(set_mark(0x10000, 0x30000), "-j MARK --set-xmark 0x10000/0x30000");
  EXPECT_EQ(clear_mark(0x30000), "-j MARK --set-xmark 0x0/0x30000");
  EXPECT_EQ(has_mark(0x10000), "-m mark --mark 0x10000/0x10000");
  EXPECT_EQ(has_no_mark(0x30000), "-m mark --mark 0x0/0x30000");
  EXPECT_EQ(has_some_mark(0x30000), "-m mark ! --mark 0x0/0x30000");
}

}  // namespace
}  // namespace margay::render
