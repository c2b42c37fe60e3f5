#include "datastore/kube/api_error.h"

#include <gtest/gtest.h>

#include "base/core/time_text.h"

namespace margay::kube {
namespace {

using std::chrono::seconds;

http::ResponseHead head(int status, std::string retry_after_value = "") {
  http::ResponseHead out;
  out.status = status;
  if (!retry_after_value.empty()) out.headers.add("retry-after", std::move(retry_after_value));
  return out;
}

const WallTime kNow = *parse_timestamp("2026-10-21T07:28:00Z");

ApiError answer_of(const http::ResponseHead& answer, std::string_view body) {
  return error_of_response(answer, body, kNow);
}

TEST(ApiError, EachStatusHasItsCode) {
  struct Case {
    int status;
    const char* reason;
    ErrorCode code;
  };
  const std::vector<Case> cases = {
      {400, "BadRequest", ErrorCode::kInvalid},
      {401, "Unauthorized", ErrorCode::kPermissionDenied},
      {403, "Forbidden", ErrorCode::kPermissionDenied},
      {404, "NotFound", ErrorCode::kNotFound},
      {405, "MethodNotAllowed", ErrorCode::kInvalid},
      {408, "", ErrorCode::kTimeout},
      {409, "AlreadyExists", ErrorCode::kAlreadyExists},
      {409, "Conflict", ErrorCode::kConflict},
      {409, "", ErrorCode::kConflict},
      {410, "Expired", ErrorCode::kGone},
      {413, "", ErrorCode::kInvalid},
      {415, "", ErrorCode::kInvalid},
      {422, "Invalid", ErrorCode::kInvalid},
      {429, "TooManyRequests", ErrorCode::kUnavailable},
      {500, "InternalError", ErrorCode::kUnavailable},
      {503, "ServiceUnavailable", ErrorCode::kUnavailable},
      {504, "Timeout", ErrorCode::kUnavailable},
      {302, "", ErrorCode::kInternal},
  };
  for (const Case& c : cases) {
    const std::string body =
        std::string(R"({"kind":"Status","reason":")") + c.reason + R"(","message":"what happened"})";
    const ApiError error = answer_of(head(c.status), body);
    EXPECT_EQ(error.code, c.code) << c.status;
    EXPECT_EQ(error.http_status, c.status);
    EXPECT_EQ(error.reason, c.reason);
    EXPECT_EQ(error.message, "what happened");
  }
}

TEST(ApiError, CausesNameFieldsAndReasons) {
  const ApiError error =
      answer_of(head(422), R"({"kind":"Status","reason":"Invalid","message":"IPPool \"a\" is invalid",
      "details":{"causes":[{"reason":"FieldValueInvalid","field":"spec.cidr","message":"no"},{"field":"spec.blockSize"},7]}})");
  ASSERT_EQ(error.causes.size(), 3U);
  EXPECT_EQ(error.causes[0].reason, "FieldValueInvalid");
  EXPECT_EQ(error.causes[0].field, "spec.cidr");
  EXPECT_EQ(error.causes[0].message, "no");
  EXPECT_EQ(error.causes[1].field, "spec.blockSize");
  EXPECT_EQ(error.causes[2].field, "");
}

TEST(ApiError, RetryAfterComesFromTheHeaderOrTheStatus) {
  EXPECT_EQ(answer_of(head(429, "3"), "").retry_after, Duration(seconds(3)));
  EXPECT_EQ(answer_of(head(429), R"({"kind":"Status","details":{"retryAfterSeconds":2}})").retry_after,
            Duration(seconds(2)));
  EXPECT_EQ(answer_of(head(429, "1"), R"({"kind":"Status","details":{"retryAfterSeconds":2}})").retry_after,
            Duration(seconds(1)));
  EXPECT_EQ(answer_of(head(429, "86400"), "").retry_after, Duration(seconds(300)));  // bounded
  for (const char* odd : {"-1", "soon", "Wed, 21 Oct 2026", "1.5", "99999999999999999999"}) {
    EXPECT_EQ(answer_of(head(429, odd), "").retry_after, std::nullopt) << odd;
  }
}

TEST(ApiError, RetryAfterMayBeADate) {
  struct Case {
    const char* date;
    Duration wait;
  };
  const Case cases[] = {
      {"Wed, 21 Oct 2026 07:28:07 GMT", seconds(7)},   {"Wednesday, 21-Oct-26 07:29:00 GMT", seconds(60)},
      {"Wed Oct 21 07:28:01 2026", seconds(1)},        {"Wed, 21 Oct 2026 07:28:00 GMT", seconds(0)},
      {"Wed, 21 Oct 2015 07:28:00 GMT", seconds(0)},    // has passed
      {"Fri, 31 Dec 2100 23:59:59 GMT", seconds(300)},  // bounded
  };
  for (const Case& each : cases) EXPECT_EQ(answer_of(head(429, each.date), "").retry_after, each.wait) << each.date;
  EXPECT_EQ(
      answer_of(head(429, "Wed, 21 Oct 2026 07:28:05 GMT"), R"({"kind":"Status","details":{"retryAfterSeconds":2}})")
          .retry_after,
      Duration(seconds(5)));
}

TEST(ApiError, WhatIsNoStatusObjectIsShownInPart) {
  EXPECT_EQ(answer_of(head(502), "").message, "the server answered 502 Bad Gateway");
  EXPECT_EQ(answer_of(head(502), "\n upstream is away \nsecond line").message,
            "the server answered 502 Bad Gateway: upstream is away");
  EXPECT_EQ(answer_of(head(404), R"({"kind":"Status"})").message, "the server answered 404 Not Found");
  const ApiError page = answer_of(head(500), std::string(5000, 'x'));
  EXPECT_LT(page.message.size(), 300U);
  EXPECT_EQ(answer_of(head(500), R"({"kind":"Status","message":7,"reason":[],"details":"x"})").message,
            "the server answered 500 Internal Server Error");
}

TEST(ApiError, ErrorEventsCarryTheirStatus) {
  const auto gone =
      json::parse(R"({"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"})");
  EXPECT_EQ(error_of_status(*gone).code, ErrorCode::kGone);
  EXPECT_EQ(error_of_status(*gone).http_status, 410);
  EXPECT_EQ(error_of_status(*json::parse(R"({"reason":"Expired"})")).code, ErrorCode::kGone);
  EXPECT_EQ(error_of_status(*json::parse(R"({"reason":"Gone"})")).code, ErrorCode::kGone);
  EXPECT_EQ(error_of_status(*json::parse(R"({"code":500,"message":"etcd"})")).code, ErrorCode::kUnavailable);
  EXPECT_EQ(error_of_status(*json::parse(R"({"code":99999999999})")).http_status, 999);
  // What has no code is an answer all the same, not a lost connection: who counts refusals must see it.
  EXPECT_EQ(error_of_status(json::Value()).http_status, 500);
  EXPECT_EQ(error_of_status(*json::parse(R"({"message":"storage is gone"})")).code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace margay::kube
