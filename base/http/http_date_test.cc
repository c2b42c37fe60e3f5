#include "base/http/http_date.h"

#include "base/core/time_text.h"
#include "gtest/gtest.h"

namespace margay::http {
namespace {

const WallTime kNow = *parse_timestamp("2026-08-22T10:00:00Z");

TEST(HttpDate, AllThreeFormsAreRead) {
  struct Case {
    const char* text;
    const char* time;
  };
  const Case cases[] = {
      {"Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"},
      {"Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z"},
      {"Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z"},
      {"Sun Nov 16 08:49:37 1994", "1994-11-16T08:49:37Z"},
      {"Sat, 29 Feb 2020 23:59:60 GMT", "2020-02-29T23:59:59Z"},
      {"Saturday, 22-Aug-26 10:00:01 GMT", "2026-08-22T10:00:01Z"},
      {"Saturday, 22-Aug-76 10:00:01 GMT", "2076-08-22T10:00:01Z"},
      {"Saturday, 22-Aug-77 10:00:01 GMT", "1977-08-22T10:00:01Z"},
  };
  for (const Case& each : cases) {
    const auto time = parse_http_date(each.text, kNow);
    ASSERT_TRUE(time.ok()) << each.text;
    EXPECT_EQ(format_timestamp(*time), each.time) << each.text;
  }
}

TEST(HttpDate, AnythingElseIsAnError) {
  for (const char* text : {"",
                           "1994-11-06T08:49:37Z",
                           "Sun, 06 Nov 1994 08:49:37",
                           "Sun, 06 Nov 1994 08:49:37 UTC",
                           "Sun, 06 Nov 1994 24:49:37 GMT",
                           "Sun, 06 Nov 1994 08:60:37 GMT",
                           "Sun, 06 Nov 1994 08:49:61 GMT",
                           "Sun, 06 Nov 1994 08:49 GMT",
                           "Sun, 6 Nov 94 08:49:37 GMT GMT",
                           "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 00 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 99999 08:49:37 GMT",
                           "Sun, 06 Nov 9999 08:49:37 GMT",
                           "Day, 06 Nov 1994 08:49:37 GMT",
                           "Sunday, 06 Nov 1994 08:49:37 GMT",
                           "Sun, 06-Nov-94 08:49:37 GMT",
                           "Sunday, 06-Nov-1994 08:49:37 GMT",
                           "Sun Nov 6 08:49:37 94 1994",
                           "Sun, +6 Nov 1994 08:49:37 GMT",
                           "Sun, -6 Nov 1994 08:49:37 GMT",
                           "sun, 06 nov 1994 08:49:37 gmt"}) {
    EXPECT_FALSE(parse_http_date(text, kNow).ok()) << text;
  }
}

}  // namespace
}  // namespace margay::http
