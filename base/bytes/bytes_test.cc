#include <string>
#include <vector>

#include "base/bytes/reader.h"
#include "base/bytes/writer.h"
#include "base/core/random.h"
#include "gtest/gtest.h"

namespace margay::bytes {
namespace {

using namespace std::string_view_literals;

std::string message_of(const Status& status) { return status.ok() ? "" : status.error().message; }

TEST(Reader, ReadsNetworkByteOrder) {
  Reader reader(view_of("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8"sv));
  EXPECT_EQ(reader.u8().value(), 0x01);
  EXPECT_EQ(reader.u16().value(), 0x0203);
  EXPECT_EQ(reader.u24().value(), 0x040506U);
  EXPECT_EQ(reader.u32().value(), 0x0708090aU);
  EXPECT_EQ(reader.u64().value(), 0xfffefdfcfbfaf9f8U);
  EXPECT_TRUE(reader.is_at_end());
  EXPECT_TRUE(reader.expect_end().ok());
}

TEST(Reader, StopsAtTheEndAndStaysWhereItWas) {
  Reader reader(view_of("\x01\x02\x03"sv));
  ASSERT_TRUE(reader.u8().ok());
  EXPECT_EQ(reader.u32().error().message, "at byte 1: 4 bytes expected, 2 left");
  EXPECT_EQ(reader.u64().error().code, ErrorCode::kInvalid);
  EXPECT_FALSE(reader.u24().ok());
  EXPECT_FALSE(reader.take(3).ok());
  EXPECT_FALSE(reader.skip(3).ok());
  EXPECT_FALSE(reader.sub(3).ok());
  EXPECT_FALSE(reader.take(SIZE_MAX).ok());
  EXPECT_EQ(reader.remaining(), 2U);
  EXPECT_EQ(reader.u16().value(), 0x0203);
  EXPECT_FALSE(reader.u8().ok());
  EXPECT_EQ(reader.take(0).value().size(), 0U);
}

TEST(Reader, SubReaderCannotLeaveItsPiece) {
  Reader reader(view_of("\x02xyz!"sv));
  const std::uint8_t size = reader.u8().value();
  Reader inner = reader.sub(size).value();
  EXPECT_EQ(inner.u8().value(), 'x');
  EXPECT_EQ(inner.u16().error().message, "at byte 2: 2 bytes expected, 1 left");
  EXPECT_EQ(message_of(inner.expect_end()), "at byte 2: 1 bytes left over");
  EXPECT_EQ(inner.u8().value(), 'y');
  EXPECT_EQ(reader.offset(), 3U);
  EXPECT_EQ(text_of(reader.take_rest()), "z!");
  EXPECT_EQ(reader.offset(), 5U);
  EXPECT_TRUE(reader.is_at_end());
}

TEST(Reader, EmptyHasNothing) {
  Reader reader{View()};
  EXPECT_TRUE(reader.is_at_end());
  EXPECT_FALSE(reader.u8().ok());
  EXPECT_TRUE(reader.take_rest().empty());
}

TEST(Writer, WritesNetworkByteOrder) {
  Writer writer;
  writer.u8(0x01);
  writer.u16(0x0203);
  writer.u24(0x040506);
  writer.u32(0x0708090a);
  writer.u64(0xfffefdfcfbfaf9f8U);
  writer.append("ab");
  writer.zeros(2);
  EXPECT_EQ(writer.finish().value(),
            "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8"
            "ab\0\0"sv);
  EXPECT_EQ(writer.size(), 0U);
}

TEST(Writer, FillsLengthsInsideOut) {
  Writer writer;
  writer.u8(7);
  const LengthMark outer = writer.reserve_length(LengthMark::kU16);
  const LengthMark inner = writer.reserve_length(LengthMark::kU8);
  writer.append("abc");
  writer.set_length(inner);
  writer.u8(9);
  writer.set_length(outer, 3);  // counts itself and the byte before it
  EXPECT_EQ(writer.finish().value(),
            "\x07\x00\x08\x03"
            "abc\x09"sv);
}

TEST(Writer, LengthsOfEveryWidth) {
  Writer writer;
  const LengthMark wide = writer.reserve_length(LengthMark::kU32);
  const LengthMark middle = writer.reserve_length(LengthMark::kU24);
  writer.zeros(0x10203 - 3);
  writer.set_length(middle);
  writer.set_length(wide);
  Reader reader(writer.written());
  EXPECT_EQ(reader.u32().value(), 0x10203U);
  EXPECT_EQ(reader.u24().value(), 0x10200U);
}

TEST(Writer, LengthTooLargeForItsFieldComesOutOfFinish) {
  for (const std::size_t size : {std::size_t{255}, std::size_t{256}}) {
    Writer writer;
    const LengthMark mark = writer.reserve_length(LengthMark::kU8);
    writer.zeros(size);
    writer.set_length(mark);
    EXPECT_EQ(writer.finish().ok(), size == 255) << size;
  }
  Writer writer;
  writer.u24(0x1000000);
  EXPECT_EQ(writer.finish().error().message, "at byte 0: 16777216 does not fit into 24 bits");
}

TEST(Writer, LimitIsReportedOnceWithItsPlace) {
  Writer writer(6);
  writer.u32(1);
  EXPECT_EQ(writer.space_left(), 2U);
  writer.u16(2);
  EXPECT_TRUE(writer.ok());
  const LengthMark mark = writer.reserve_length(LengthMark::kU16);
  writer.append("more");
  writer.set_length(mark);
  writer.patch_u16(100, 1);  // without effect: its place could not be written
  EXPECT_FALSE(writer.ok());
  EXPECT_EQ(writer.size(), 6U);
  const Result<std::string> result = writer.finish();
  EXPECT_EQ(result.error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(result.error().message, "at byte 6: 2 bytes do not fit into the limit of 6");
  writer.u8(1);
  EXPECT_EQ(writer.finish().value(), "\x01");
}

TEST(Writer, PadsToAMultiple) {
  Writer writer;
  writer.pad_to(4);
  EXPECT_EQ(writer.size(), 0U);
  writer.append("abcde");
  writer.pad_to(4);
  EXPECT_EQ(writer.size(), 8U);
  writer.pad_to(4);
  EXPECT_EQ(writer.finish().value(), "abcde\0\0\0"sv);
}

TEST(Writer, PatchesWhatIsThere) {
  Writer writer;
  writer.zeros(7);
  writer.patch_u8(0, 0xaa);
  writer.patch_u16(1, 0xbbcc);
  writer.patch_u32(3, 0x01020304);
  EXPECT_EQ(writer.finish().value(), "\xaa\xbb\xcc\x01\x02\x03\x04"sv);
}

TEST(WriterDeathTest, PatchOutsideIsOurMistake) {
  Writer writer;
  writer.u8(1);
  EXPECT_DEATH(writer.patch_u16(0, 1), "check failed");
  EXPECT_DEATH(writer.patch_u8(SIZE_MAX, 1), "check failed");
}

// Fields of random widths come back, and every shortened copy fails without reading past its end.
TEST(ReaderAndWriter, AgreeOnRandomFields) {
  SeededRandom random(3);
  for (int round = 0; round < 200; ++round) {
    Writer writer;
    std::vector<std::pair<int, std::uint64_t>> fields;
    for (std::uint64_t i = 0; i < random.below(20); ++i) {
      const int width = 1 << random.below(4);
      const std::uint64_t value = random.next() >> (64 - 8 * width);
      fields.emplace_back(width, value);
      if (width == 1) writer.u8(static_cast<std::uint8_t>(value));
      if (width == 2) writer.u16(static_cast<std::uint16_t>(value));
      if (width == 4) writer.u32(static_cast<std::uint32_t>(value));
      if (width == 8) writer.u64(value);
    }
    const std::string bytes = writer.finish().value();
    for (const std::size_t size : {bytes.size(), static_cast<std::size_t>(random.below(bytes.size() + 1))}) {
      const std::vector<std::uint8_t> copy(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      Reader reader{View(copy)};
      for (const auto& [width, value] : fields) {
        const std::size_t before = reader.remaining();
        const bool fits = before >= static_cast<std::size_t>(width);
        const Result<std::uint64_t> found = width == 1   ? Result<std::uint64_t>(reader.u8().value_or(0))
                                            : width == 2 ? Result<std::uint64_t>(reader.u16().value_or(0))
                                            : width == 4 ? Result<std::uint64_t>(reader.u32().value_or(0))
                                                         : reader.u64();
        if (!fits) {
          ASSERT_EQ(reader.remaining(), before);
          break;
        }
        ASSERT_EQ(found.value(), value);
      }
      ASSERT_EQ(reader.is_at_end(), reader.offset() == size);
    }
  }
}

}  // namespace
}  // namespace margay::bytes
