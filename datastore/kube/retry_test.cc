// The pure parts of patience: rate limit, retry rules, which server is used, rotated tokens.
#include "datastore/kube/retry.h"

#include <gtest/gtest.h>

#include <set>

#include "datastore/kube/endpoint_set.h"
#include "datastore/kube/token_bucket.h"
#include "datastore/kube/token_source.h"

namespace margay::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TimePoint at(Duration since_start) { return TimePoint(since_start); }

TEST(TokenBucket, BurstGoesAtOnceThenOneEachInterval) {
  TokenBucket bucket(10, 3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.reserve(at({})), Duration::zero());
  EXPECT_EQ(bucket.reserve(at({})), Duration(milliseconds(100)));
  EXPECT_EQ(bucket.reserve(at({})), Duration(milliseconds(200)));
  // The two that wait have their turns at 100 and 200 ms; the next is free at 300 ms.
  EXPECT_EQ(bucket.reserve(at(milliseconds(250))), Duration(milliseconds(50)));
}

TEST(TokenBucket, ARestRefillsOnlyTheBurst) {
  TokenBucket bucket(10, 2);
  for (int i = 0; i < 2; ++i) bucket.reserve(at({}));
  EXPECT_EQ(bucket.reserve(at(seconds(3600))), Duration::zero());
  EXPECT_EQ(bucket.reserve(at(seconds(3600))), Duration::zero());
  EXPECT_GT(bucket.reserve(at(seconds(3600))), Duration::zero());
}

TEST(TokenBucket, NeverMoreThanTheRateInAnySecond) {
  TokenBucket bucket(50, 100);
  SeededRandom random(1);
  Duration now{};
  std::vector<Duration> starts;
  for (int i = 0; i < 2000; ++i) {
    starts.push_back(now + bucket.reserve(at(now)));
    if (random.below(4) == 0) now += milliseconds(random.below(60));
  }
  for (std::size_t first = 0; first < starts.size(); ++first) {
    std::size_t last = first;
    while (last < starts.size() && starts[last] < starts[first] + seconds(1)) ++last;
    EXPECT_LE(last - first, 151U);
    EXPECT_GE(starts[first], starts[first == 0 ? 0 : first - 1]) << "out of order";
  }
}

TEST(TokenBucket, ZeroIsNoLimit) {
  TokenBucket bucket(0, 1);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(bucket.reserve(at({})), Duration::zero());
}

ApiError failed(ErrorCode code, int status, std::optional<Duration> wait = {}) {
  ApiError error;
  error.code = code;
  error.http_status = status;
  error.retry_after = wait;
  return error;
}

TEST(Retry, WhatIsSentAgain) {
  struct Case {
    const char* why;
    ErrorCode code;
    int status;
    bool may_have_been_sent;
    bool read_again;
    bool write_again;
  };
  const std::vector<Case> cases = {
      {"throttled: the server did nothing", ErrorCode::kUnavailable, 429, true, true, true},
      {"never left us", ErrorCode::kUnavailable, 0, false, true, true},
      {"lost on the way: a write may have happened", ErrorCode::kUnavailable, 0, true, true, false},
      {"no answer in time", ErrorCode::kTimeout, 0, true, true, false},
      {"server error: a write may have happened", ErrorCode::kUnavailable, 500, true, true, false},
      {"unavailable", ErrorCode::kUnavailable, 503, true, true, false},
      {"not found", ErrorCode::kNotFound, 404, true, false, false},
      {"conflict", ErrorCode::kConflict, 409, true, false, false},
      {"gone", ErrorCode::kGone, 410, true, false, false},
      {"invalid", ErrorCode::kInvalid, 422, true, false, false},
      {"forbidden", ErrorCode::kPermissionDenied, 403, true, false, false},
      {"certificate refused: the next attempt will be too", ErrorCode::kPermissionDenied, 0, false, false, false},
      {"not HTTP", ErrorCode::kInvalid, 0, true, false, false},
      {"too large", ErrorCode::kLimitExceeded, 0, true, false, false},
  };
  for (const Case& c : cases) {
    const ApiError error = failed(c.code, c.status);
    EXPECT_EQ(is_retryable(error, {.is_write = false, .may_have_been_sent = c.may_have_been_sent}), c.read_again)
        << c.why;
    EXPECT_EQ(is_retryable(error, {.is_write = true, .may_have_been_sent = c.may_have_been_sent}), c.write_again)
        << c.why;
  }
}

TEST(Retry, DelaysGrowWithJitterAndEnd) {
  SeededRandom random(2);
  const RetryPolicy policy{.attempts_max = 8, .backoff_min = milliseconds(100), .backoff_max = seconds(2)};
  const ApiError error = failed(ErrorCode::kUnavailable, 500);
  for (int number = 1; number < 8; ++number) {
    Duration longest{};
    for (int i = 0; i < 200; ++i) {
      const auto delay = retry_delay(policy, error, {.number = number}, random);
      ASSERT_TRUE(delay);
      EXPECT_GE(*delay, policy.backoff_min);
      EXPECT_LE(*delay, std::min<Duration>(policy.backoff_min * (1 << number), policy.backoff_max));
      longest = std::max(longest, *delay);
    }
    EXPECT_GT(longest, policy.backoff_min * 1.5) << "no jitter at attempt " << number;
  }
  EXPECT_EQ(retry_delay(policy, error, {.number = 8}, random), std::nullopt);
}

TEST(Retry, NeverSoonerThanTheServerAsks) {
  SeededRandom random(3);
  const auto delay = retry_delay({}, failed(ErrorCode::kUnavailable, 429, seconds(7)), {.number = 1}, random);
  EXPECT_EQ(delay, Duration(seconds(7)));
}

TEST(EndpointSet, StaysWithTheCurrentUntilItFails) {
  EndpointSet set(3, 0);
  set.on_success(1);
  set.on_suspicion(0);
  EXPECT_EQ(set.current(), 0U);
  set.on_failure(1);
  EXPECT_EQ(set.current(), 0U);
  set.on_failure(0);
  EXPECT_EQ(set.current(), 2U) << "1 is bad as well";
  set.on_success(0);
  EXPECT_EQ(set.current(), 2U) << "no way back by itself";
}

TEST(EndpointSet, WithAllBadEachIsTriedUntilOneAnswers) {
  EndpointSet set(3, 1);
  std::set<std::size_t> tried;
  for (int i = 0; i < 3; ++i) {
    tried.insert(set.current());
    set.on_failure(set.current());
  }
  EXPECT_EQ(tried.size(), 3U);
  set.on_failure(set.current());
  set.on_success(0);
  EXPECT_EQ(set.current(), 0U) << "the one that came back";
}

TEST(EndpointSet, ProbesWhatIsInDoubtAndWhatMightBeNeeded) {
  using Indexes = std::vector<std::size_t>;
  EndpointSet set(3, 0);
  EXPECT_EQ(set.to_probe(), Indexes{});
  set.on_suspicion(0);
  EXPECT_EQ(set.to_probe(), (Indexes{0, 1, 2}));
  set.on_success(0);
  EXPECT_EQ(set.to_probe(), Indexes{});
  set.on_failure(0);
  EXPECT_EQ(set.to_probe(), (Indexes{0, 2})) << "the current one is in use";
  EXPECT_EQ(EndpointSet(1, 5).current(), 0U);
}

TEST(TokenSource, ReadsTheFileAgainAsItAges) {
  std::string content = "one\n";
  int reads = 0;
  TokenSource tokens("fixed", "/token", [&](const std::string&) -> Result<std::string> {
    ++reads;
    return content;
  });
  EXPECT_EQ(tokens.current(at(seconds(0))), "one");
  content = "two";
  EXPECT_EQ(tokens.current(at(seconds(9))), "one");
  EXPECT_EQ(reads, 1);
  EXPECT_EQ(tokens.current(at(seconds(10))), "two");
}

TEST(TokenSource, ARefusedTokenIsReadAgainAtOnce) {
  std::string content = "one";
  TokenSource tokens("", "/token", [&](const std::string&) -> Result<std::string> { return content; });
  EXPECT_EQ(tokens.current(at(seconds(1))), "one");
  EXPECT_FALSE(tokens.refresh("one", at(seconds(2)))) << "the same token would be refused again";
  content = "two";
  EXPECT_TRUE(tokens.refresh("one", at(seconds(2))));
  EXPECT_EQ(tokens.current(at(seconds(2))), "two");
  EXPECT_FALSE(TokenSource("fixed", "", nullptr).refresh("fixed", at(seconds(1))));
}

TEST(TokenSource, AnUnreadableFileLeavesTheLastTokenInUse) {
  Result<std::string> content = std::string("one");
  TokenSource tokens("fixed", "/token", [&](const std::string&) { return content; });
  EXPECT_EQ(tokens.current(at(seconds(0))), "one");
  EXPECT_FALSE(tokens.error());
  const std::vector<Result<std::string>> bad = {
      Error{ErrorCode::kNotFound, "gone"}, std::string(""),          std::string(" \n"), std::string("a b"),
      std::string("a\r\nX-Evil: 1"),       std::string(100'000, 'x')};
  Duration now = seconds(0);
  for (const auto& next : bad) {
    content = next;
    now += seconds(11);
    EXPECT_EQ(tokens.current(at(now)), "one");
    EXPECT_TRUE(tokens.error());
  }
  TokenSource never("fixed", "/token", [&](const std::string&) -> Result<std::string> { return invalid("no"); });
  EXPECT_EQ(never.current(at(seconds(0))), "fixed");
}

}  // namespace
}  // namespace margay::kube
