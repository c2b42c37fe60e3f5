#include "base/http/body_reader.h"

#include <optional>
#include <string>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/http/codec.h"
#include "gtest/gtest.h"

namespace margay::http {
namespace {

struct ReadOutcome {
  std::string body;
  std::string rest;  // not taken
  bool is_complete = false;
  std::optional<Error> error;
};

// Reads in pieces of random size up to `piece_max`.
ReadOutcome read(Framing framing, std::string_view bytes, std::size_t piece_max, Random& random) {
  BodyReader reader(framing);
  ReadOutcome outcome;
  while (!bytes.empty() && !reader.is_complete()) {
    std::string_view piece = bytes.substr(0, 1 + random.below(piece_max));
    bytes.remove_prefix(piece.size());
    while (!piece.empty() && !reader.is_complete()) {
      const auto part = reader.next(piece);
      if (!part) {
        outcome.error = part.error();
        return outcome;
      }
      outcome.body.append(*part);
    }
    outcome.rest = concat(piece, bytes);
  }
  outcome.is_complete = reader.is_complete();
  return outcome;
}

ReadOutcome read_chunked(std::string_view bytes, std::size_t piece_max = 1000) {
  SeededRandom random(7);
  return read({Framing::Kind::kChunked, 0}, bytes, piece_max, random);
}

TEST(BodyReader, LengthIsExact) {
  SeededRandom random(1);
  for (std::size_t piece = 1; piece < 12; ++piece) {
    const ReadOutcome outcome = read({Framing::Kind::kLength, 5}, "12345next", piece, random);
    EXPECT_EQ(outcome.body, "12345");
    EXPECT_EQ(outcome.rest, "next");
    EXPECT_TRUE(outcome.is_complete);
  }
  EXPECT_FALSE(read({Framing::Kind::kLength, 5}, "1234", 2, random).is_complete);
  EXPECT_TRUE(BodyReader({Framing::Kind::kLength, 0}).is_complete());
  EXPECT_TRUE(BodyReader({Framing::Kind::kNone, 0}).is_complete());
}

TEST(BodyReader, UntilCloseTakesEverything) {
  SeededRandom random(1);
  const ReadOutcome outcome = read({Framing::Kind::kUntilClose, 0}, "anything\r\n\r\n", 3, random);
  EXPECT_EQ(outcome.body, "anything\r\n\r\n");
  EXPECT_FALSE(outcome.is_complete);
  EXPECT_TRUE(BodyReader({Framing::Kind::kUntilClose, 0}).ends_with_connection());
}

TEST(BodyReader, LargePiecesAreViewsOfTheInput) {
  const std::string text = concat("186a0\r\n", std::string(100'000, 'x'), "\r\n0\r\n\r\n");
  BodyReader reader({Framing::Kind::kChunked, 0});
  std::string_view bytes = text;
  const auto piece = reader.next(bytes);
  ASSERT_TRUE(piece.ok());
  EXPECT_EQ(piece->size(), 100'000U);
  EXPECT_EQ(piece->data(), text.data() + 7);
}

TEST(BodyReader, ChunksReadTheSameHoweverTheyArrive) {
  const std::string text =
      "5\r\nhello\r\n1;name=value;other=\"quoted\"\r\n \r\n00A \t;x\r\n0123456789\r\n0\r\nTrailer: x\r\nOther: "
      "y\r\n\r\nGET";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const ReadOutcome outcome = read_chunked(text, piece);
    ASSERT_FALSE(outcome.error) << outcome.error->message;
    EXPECT_EQ(outcome.body, "hello 0123456789");
    EXPECT_EQ(outcome.rest, "GET");
    EXPECT_TRUE(outcome.is_complete);
  }
}

TEST(BodyReader, RandomChunksSurviveRandomSplits) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SeededRandom random(seed);
    std::string body;
    std::string text;
    for (std::uint64_t chunk = random.below(20); chunk > 0; --chunk) {
      std::string data(1 + random.below(random.below(10) == 0 ? 50'000 : 100), ' ');
      for (char& c : data) c = static_cast<char>(random.next());
      text.append(format_chunk_size(data.size()));
      if (random.below(3) == 0) text.insert(text.size() - 2, ";ext");
      text.append(data).append("\r\n");
      body.append(data);
    }
    text.append(random.below(2) == 0 ? "0\r\n\r\n" : "0;last\r\nA: b\r\n\r\n");
    const ReadOutcome outcome = read({Framing::Kind::kChunked, 0}, text, 1 + random.below(500), random);
    ASSERT_FALSE(outcome.error) << "seed " << seed << outcome.error->message;
    ASSERT_TRUE(outcome.is_complete) << "seed " << seed;
    ASSERT_TRUE(outcome.body == body) << "seed " << seed;
    EXPECT_EQ(outcome.rest, "");
  }
}

TEST(BodyReader, EveryTruncationIsIncomplete) {
  const std::string text = "5\r\nhello\r\n0\r\nT: x\r\n\r\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    const ReadOutcome outcome = read_chunked(text.substr(0, size), 3);
    EXPECT_FALSE(outcome.error);
    EXPECT_FALSE(outcome.is_complete) << size;
  }
}

TEST(BodyReader, MalformedChunksAreErrors) {
  for (const char* bad : {"g\r\n",
                          "\r\n",
                          ";x\r\n",
                          " 5\r\nhello\r\n",
                          "+5\r\nhello\r\n",
                          "-1\r\n",
                          "0x5\r\nhello\r\n",
                          "5\nhello\r\n",
                          "5 5\r\nhello\r\n",
                          "5 a\r\nhello\r\n",
                          "5\rhello",
                          "5\r\nhelloX\n",
                          "5\r\nhello\nX",
                          "5\r\nhello\r\r",
                          "5\r\nhello5\r\n",
                          "0\r\n\rX",
                          "0\r\nA: b\n\r\n",
                          "0\r\nA: b\rX",
                          "5;a\x01\r\nhello\r\n",
                          "5;a\nb\r\n",
                          "fffffffffffffffff\r\n",
                          "1000000000000000\r\n",
                          "0\r\n\x7f: b\r\n\r\n"}) {
    for (const std::size_t piece : {1U, 3U, 1000U}) {
      const ReadOutcome outcome = read_chunked(bad, piece);
      ASSERT_TRUE(outcome.error) << quoted(bad);
      EXPECT_EQ(outcome.error->code, ErrorCode::kInvalid);
    }
  }
}

TEST(BodyReader, FramingMayNotOutweighContent) {
  EXPECT_TRUE(read_chunked(concat("5;", std::string(20'000, 'x'), "\r\nhello\r\n0\r\n\r\n")).error);
  EXPECT_TRUE(read_chunked(concat("0\r\nA: ", std::string(20'000, 'x'), "\r\n\r\n")).error);
  std::string drip;
  for (int i = 0; i < 1000; ++i) drip.append("1;").append(std::string(100, 'x')).append("\r\na\r\n");
  EXPECT_TRUE(read_chunked(drip).error);
  std::string small;
  for (int i = 0; i < 100'000; ++i) small.append("1\r\na\r\n");
  EXPECT_FALSE(read_chunked(small).error) << "plain small chunks are fine";
}

}  // namespace
}  // namespace margay::http
