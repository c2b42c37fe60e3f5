#include "base/http/message.h"

#include <string>

#include "base/core/random.h"
#include "gtest/gtest.h"

namespace margay::http {
namespace {

TEST(Headers, NamesCompareWithoutCaseAndFirstWins) {
  Headers headers;
  headers.add("Accept", "a");
  headers.add("ACCEPT", "b");
  EXPECT_EQ(headers.get("accept"), "a");
  EXPECT_TRUE(headers.contains("aCCept"));
  EXPECT_FALSE(headers.contains("Accept-Encoding"));
  EXPECT_EQ(headers.get("Host"), "");
}

TEST(Headers, SetReplacesAllOfThatName) {
  Headers headers;
  headers.add("A", "1");
  headers.add("B", "2");
  headers.add("a", "3");
  headers.set("A", "4");
  headers.set("C", "5");
  std::string seen;
  for (const auto& [name, value] : headers) seen.append(name).append("=").append(value).append(";");
  EXPECT_EQ(seen, "A=4;B=2;C=5;");
}

TEST(Percent, EncodesAllButUnreserved) {
  EXPECT_EQ(percent_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(percent_encode("a b/c?d=e&f%\xff"), "a%20b%2Fc%3Fd%3De%26f%25%FF");
  EXPECT_EQ(percent_encode(std::string("\0", 1)), "%00");
}

TEST(Percent, DecodeUndoesEncode) {
  SeededRandom random(1);
  for (int i = 0; i < 200; ++i) {
    std::string text(random.below(40), ' ');
    for (char& c : text) c = static_cast<char>(random.next());
    const auto decoded = percent_decode(percent_encode(text));
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(*decoded, text);
  }
}

TEST(Percent, BadEscapesAreErrors) {
  for (const char* bad : {"%", "%1", "%g0", "%0g", "a%2", "%%20", "% 1"}) {
    EXPECT_FALSE(percent_decode(bad).ok()) << bad;
  }
  EXPECT_EQ(percent_decode("%2f%2F+").value(), "//+");
}

TEST(Target, SplitsPathAndQuery) {
  const auto target = parse_target("/api/v1/pods%2Fx?labelSelector=a%3Db%26c&watch&empty=&x=1&x=2&plus=a+b&&k=v=w");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->path, "/api/v1/pods/x");
  EXPECT_EQ(target->parameter("labelSelector"), "a=b&c");
  EXPECT_EQ(target->parameter("watch"), "");
  EXPECT_EQ(target->parameter("empty"), "");
  EXPECT_EQ(target->parameter("x"), "1");
  EXPECT_EQ(target->parameter("plus"), "a b");
  EXPECT_EQ(target->parameter("k"), "v=w");
  EXPECT_FALSE(target->parameter("none"));
  EXPECT_EQ(target->query.size(), 7U);
}

TEST(Target, KeepsPlusInThePath) { EXPECT_EQ(parse_target("/a+b")->path, "/a+b"); }

TEST(Target, BadEscapesAreErrors) {
  for (const char* bad : {"/%zz", "/a?b=%", "/a?%x=1"}) EXPECT_FALSE(parse_target(bad).ok()) << bad;
}

TEST(Reason, KnownAndUnknown) {
  EXPECT_EQ(reason_phrase(410), "Gone");
  EXPECT_EQ(reason_phrase(599), "Unknown");
}

}  // namespace
}  // namespace margay::http
