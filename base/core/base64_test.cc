#include "base/core/base64.h"

#include "base/core/random.h"
#include "gtest/gtest.h"

namespace margay {
namespace {

TEST(Base64, VectorsOfRfc4648) {
  struct Case {
    const char* bytes;
    const char* text;
  };
  for (const Case& c : {Case{"", ""}, Case{"f", "Zg=="}, Case{"fo", "Zm8="}, Case{"foo", "Zm9v"},
                        Case{"foob", "Zm9vYg=="}, Case{"fooba", "Zm9vYmE="}, Case{"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(base64_encode(c.bytes), c.text);
    EXPECT_EQ(base64_decode(c.text).value(), c.bytes);
  }
}

TEST(Base64, WhatIsEncodedDecodesToItself) {
  SeededRandom random(7);
  for (int i = 0; i < 500; ++i) {
    std::string bytes;
    for (std::uint64_t size = random.below(40); bytes.size() < size;)
      bytes.push_back(static_cast<char>(random.below(256)));
    for (const auto alphabet : {Base64Alphabet::kStandard, Base64Alphabet::kUrl})
      EXPECT_EQ(base64_decode(base64_encode(bytes, alphabet), alphabet).value(), bytes);
  }
}

TEST(Base64, UrlAlphabetHasNoPaddingAndNoSlash) {
  EXPECT_EQ(base64_encode("\xff\xef\xbe\x01", Base64Alphabet::kUrl), "_---AQ");
  EXPECT_EQ(base64_encode("\xff\xef\xbe\x01"), "/+++AQ==");
}

TEST(Base64, RefusesWhatNoEncoderMakes) {
  for (const char* text : {"Z", "Zm9vY", "Zh==", "Zm9=", "Z===", "Zm 8=", "Zm8-", "Zg==Zg=="})
    EXPECT_FALSE(base64_decode(text).ok()) << text;
}

}  // namespace
}  // namespace margay
