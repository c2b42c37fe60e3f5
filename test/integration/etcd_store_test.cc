// EtcdStore on a real etcd, started in a temporary folder; skipped where there is none.
#include "datastore/store/etcd_store.h"

#include <map>
#include <optional>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/loop/asio_loop.h"
#include "base/loop/asio_network.h"
#include "gtest/gtest.h"
#include "test/support/api_servers.h"

namespace margay::store {
namespace {

using std::chrono::seconds;

constexpr Precondition kAbsent{};
constexpr Precondition at(Revision revision) { return {Precondition::Kind::kRevision, revision}; }

struct Seen {
  std::vector<std::string> events;
  std::optional<Revision> progress;
  std::optional<Error> error;

  WatchEvents events_here() {
    return {[this](const std::vector<Change>& changes) {
              for (const Change& change : changes)
                events.push_back(concat(change.key, ":", change.previous ? *change.previous : "-", ">",
                                        change.value ? *change.value : "-"));
            },
            [this](Revision revision) { progress = revision; }, [this](Error failure) { error = std::move(failure); }};
  }
};

class EtcdStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    etcd_ = test::Etcd::start(&why);
    if (etcd_ == nullptr) GTEST_SKIP() << why;
    store_ = make();
  }
  std::unique_ptr<EtcdStore> make(const std::string& first_endpoint = "") {
    EtcdStoreConfig config;
    if (!first_endpoint.empty()) config.client.endpoints.push_back(loop::Endpoint::parse(first_endpoint).value());
    config.client.endpoints.push_back(loop::Endpoint::parse(concat("tcp://", etcd_->client_url().substr(7))).value());
    config.client.timeout = seconds(3);
    return std::make_unique<EtcdStore>(loop_, network_, random_, telemetry::Logger(), std::move(config));
  }
  template <class T>
  Result<T> wait(std::optional<Result<T>>& result) {
    EXPECT_FALSE(result.has_value()) << "the callback ran inside the call";
    EXPECT_TRUE(loop_.run_until([&] { return result.has_value(); }, seconds(30)));
    return std::move(*result);
  }
  Result<Revision> put(std::string key, std::string value, Precondition precondition = kAbsent) {
    std::optional<Result<Revision>> result;
    store_->put(std::move(key), std::move(value), precondition, [&](Result<Revision> r) { result = std::move(r); });
    auto done = wait(result);
    if (!done && done.error().code == ErrorCode::kInternal) ADD_FAILURE() << done.error().message;
    return done;
  }
  Result<Revision> remove(std::string key, Revision expected) {
    std::optional<Result<Revision>> result;
    store_->remove(std::move(key), expected, [&](Result<Revision> r) { result = std::move(r); });
    return wait(result);
  }
  Result<GetReply> get(std::string key) {
    std::optional<Result<GetReply>> result;
    store_->get(std::move(key), [&](Result<GetReply> r) { result = std::move(r); });
    return wait(result);
  }
  Result<ListReply> list(ListQuery query) {
    std::optional<Result<ListReply>> result;
    store_->list(std::move(query), [&](Result<ListReply> r) { result = std::move(r); });
    return wait(result);
  }
  void compact(Revision revision) {
    std::optional<Result<std::string>> result;
    etcd::Client client(
        loop_, network_,
        {.endpoints = {loop::Endpoint::parse(concat("tcp://", etcd_->client_url().substr(7))).value()}, .tls = {}});
    client.call("/v3/kv/compaction", etcd::encode_compaction(revision), etcd::Safety::kRead,
                [&](Result<std::string> r) { result = std::move(r); });
    ASSERT_TRUE(wait(result).ok());
  }
  static std::string keys(const ListReply& reply) {
    std::string out;
    for (const Entry& entry : reply.entries) out += concat(entry.key.substr(17), "=", *entry.value, " ");
    return out;
  }
  static std::string k(std::string_view name) { return concat("/margay/registry/", name); }
  bool until(const std::function<bool()>& condition) { return loop_.run_until(condition, seconds(30)); }

  loop::AsioLoop loop_;
  loop::AsioNetwork network_{loop_};
  SeededRandom random_{1};
  std::unique_ptr<test::Etcd> etcd_;
  std::unique_ptr<EtcdStore> store_;
};

TEST_F(EtcdStoreTest, PutGetRemoveFollowPreconditions) {
  const auto none = get(k("a"));
  ASSERT_TRUE(none.ok()) << none.error().message;
  EXPECT_FALSE(none->entry);
  const Revision first = put(k("a"), "1").value();
  EXPECT_EQ(put(k("a"), "2").error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(put(k("a"), "2", at(first + 1)).error().code, ErrorCode::kConflict);
  EXPECT_EQ(put(k("b"), "2", at(first)).error().code, ErrorCode::kNotFound);
  const Revision second = put(k("a"), "2", at(first)).value();
  const auto reply = get(k("a"));
  EXPECT_EQ(*reply->entry->value, "2");
  EXPECT_EQ(reply->entry->revision, second);
  EXPECT_EQ(remove(k("a"), first).error().code, ErrorCode::kConflict);
  EXPECT_TRUE(remove(k("a"), second).ok());
  EXPECT_EQ(remove(k("a"), second).error().code, ErrorCode::kNotFound);
}

TEST_F(EtcdStoreTest, PagesComeFromOneSnapshot) {
  for (const char* name : {"p/a", "p/b", "p/c", "q/a"}) ASSERT_TRUE(put(k(name), "1").ok());
  const ListReply first = *list({.prefix = k("p/"), .limit = 2, .start_after = "", .at_revision = {}});
  EXPECT_EQ(keys(first), "p/a=1 p/b=1 ");
  EXPECT_TRUE(first.has_more);
  EXPECT_EQ(first.remaining, 1U);
  ASSERT_TRUE(put(k("p/d"), "1").ok());
  const ListQuery rest{.prefix = k("p/"), .limit = 2, .start_after = k("p/b"), .at_revision = first.store_revision};
  const ListReply second = *list(rest);
  EXPECT_EQ(keys(second), "p/c=1 ");
  EXPECT_FALSE(second.has_more);
  EXPECT_EQ(second.store_revision, first.store_revision);
  compact(get(k("x"))->store_revision);
  EXPECT_EQ(list(rest).error().code, ErrorCode::kGone);
}

TEST_F(EtcdStoreTest, WatchGivesHistoryThenWhatFollows) {
  const Revision before = put(k("p/a"), "1").value();
  ASSERT_TRUE(put(k("q/a"), "1").ok());
  const Revision b = put(k("p/b"), "1").value();
  Seen seen;
  const auto watch = store_->watch(k("p/"), before, seen.events_here());
  const Revision b2 = put(k("p/b"), "2", at(b)).value();
  ASSERT_TRUE(remove(k("p/b"), b2).ok());
  ASSERT_TRUE(until([&] { return seen.events.size() >= 3; }));
  EXPECT_EQ(seen.events, (std::vector<std::string>{k("p/b") + ":->1", k("p/b") + ":1>2", k("p/b") + ":2>-"}));
  watch->request_progress();
  ASSERT_TRUE(until([&] { return seen.progress.has_value(); }));
  EXPECT_GE(*seen.progress, b2 + 1);
}

TEST_F(EtcdStoreTest, CompactedRevisionIsGoneAndLaterOnesWork) {
  const Revision first = put(k("a"), "1").value();
  const Revision second = put(k("a"), "2", at(first)).value();
  compact(second);
  const Revision third = put(k("a"), "3", at(second)).value();
  Seen old;
  Seen fresh;
  const auto gone = store_->watch(k(""), first, old.events_here());
  const auto works = store_->watch(k(""), second, fresh.events_here());
  ASSERT_TRUE(until([&] { return old.error && !fresh.events.empty(); }));
  EXPECT_EQ(old.error->code, ErrorCode::kGone);
  EXPECT_EQ(fresh.events, std::vector<std::string>{k("a") + ":2>3"});
  EXPECT_FALSE(fresh.error);
  EXPECT_GT(third, second);
}

TEST_F(EtcdStoreTest, RevisionOfTheFutureIsGone) {
  const Revision now = put(k("a"), "1").value();
  Seen seen;
  const auto watch = store_->watch(k(""), now + 1000, seen.events_here());
  ASSERT_TRUE(until([&] { return seen.error.has_value(); }));
  EXPECT_EQ(seen.error->code, ErrorCode::kGone);
}

TEST_F(EtcdStoreTest, TwoServersSeeEachOthersChangesAndConflicts) {
  const auto other = make();
  Seen seen;
  const auto watch = other->watch(k(""), get(k("x"))->store_revision, seen.events_here());
  const Revision first = put(k("a"), "1").value();
  ASSERT_TRUE(until([&] { return seen.events.size() == 1; }));
  std::optional<Result<Revision>> theirs;
  other->put(k("a"), "2", at(first), [&](Result<Revision> r) { theirs = std::move(r); });
  ASSERT_TRUE(wait(theirs).ok());
  EXPECT_EQ(put(k("a"), "3", at(first)).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(until([&] { return seen.events.size() == 2; }));
  EXPECT_EQ(seen.events.back(), k("a") + ":1>2");
}

TEST_F(EtcdStoreTest, OutageIsUnavailableAndTheWatchGoesOnAfterItWithoutLossOrRepetition) {
  Revision last = put(k("a"), "0").value();
  Seen seen;
  const auto watch = store_->watch(k(""), last, seen.events_here());
  last = put(k("a"), "1", at(last)).value();
  ASSERT_TRUE(until([&] { return seen.events.size() == 1; }));
  etcd_->kill_now();
  EXPECT_EQ(get(k("a")).error().code, ErrorCode::kUnavailable);
  std::optional<Result<std::monostate>> health;
  store_->check([&](Status status) { health = std::move(status); });
  EXPECT_FALSE(wait(health).ok());
  etcd_->start_again();
  {
    // Another server writes before the watch is back.
    const auto other = make();
    std::optional<Result<Revision>> theirs;
    other->put(k("a"), "2", at(last), [&](Result<Revision> r) { theirs = std::move(r); });
    last = wait(theirs).value();
  }
  ASSERT_TRUE(until([&] { return seen.events.size() >= 2; }));
  ASSERT_TRUE(put(k("b"), "1").ok());
  ASSERT_TRUE(until([&] { return seen.events.size() >= 3; }));
  EXPECT_EQ(seen.events, (std::vector<std::string>{k("a") + ":0>1", k("a") + ":1>2", k("b") + ":->1"}));
  EXPECT_FALSE(seen.error);
}

TEST_F(EtcdStoreTest, HistoryCompactedDuringAnOutageEndsWatchesAsGone) {
  const Revision first = put(k("a"), "0").value();
  Seen seen;
  const auto watch = store_->watch(k(""), first, seen.events_here());
  ASSERT_TRUE(put(k("b"), "0").ok());
  ASSERT_TRUE(until([&] { return seen.events.size() == 1; }));
  etcd_->kill_now();
  EXPECT_FALSE(get(k("a")).ok());
  etcd_->start_again();
  {
    EtcdStoreConfig config;
    const auto other = make();
    Revision last = first;
    for (const char* value : {"1", "2", "3"}) {
      std::optional<Result<Revision>> theirs;
      other->put(k("a"), value, at(last), [&](Result<Revision> r) { theirs = std::move(r); });
      last = wait(theirs).value();
    }
    compact(last);
  }
  // Either the watch was quicker than the compaction, or it is told; in no case a gap.
  ASSERT_TRUE(until([&] { return seen.error || seen.events.size() == 4; }));
  if (seen.error) {
    EXPECT_EQ(seen.error->code, ErrorCode::kGone);
  }
}

TEST_F(EtcdStoreTest, DeadMemberIsPassedOver) {
  store_ = make("tcp://127.0.0.1:1");
  ASSERT_TRUE(put(k("a"), "1").ok()) << "nothing was sent to the dead member, so the change may go to the next";
  EXPECT_EQ(*get(k("a"))->entry->value, "1");
  Seen seen;
  const auto watch = store_->watch(k(""), get(k("a"))->entry->revision, seen.events_here());
  ASSERT_TRUE(put(k("b"), "1").ok());
  ASSERT_TRUE(until([&] { return seen.events.size() == 1; }));
}

TEST_F(EtcdStoreTest, LongListsAreReadInPages) {
  for (int i = 0; i < 40; ++i) {
    std::vector<std::optional<Result<Revision>>> results(60);
    for (std::size_t j = 0; j < results.size(); ++j)
      store_->put(k(concat("n/", 10'000 + i * 60 + static_cast<int>(j))), "v", kAbsent,
                  [&results, j](Result<Revision> r) { results[j] = std::move(r); });
    ASSERT_TRUE(until(
        [&] { return std::all_of(results.begin(), results.end(), [](const auto& r) { return r.has_value(); }); }));
  }
  const ListReply all = *list({.prefix = k("n/"), .limit = 0, .start_after = "", .at_revision = {}});
  EXPECT_EQ(all.entries.size(), 2400U);
  EXPECT_FALSE(all.has_more);
  const ListReply some = *list({.prefix = k("n/"), .limit = 1500, .start_after = "", .at_revision = {}});
  EXPECT_EQ(some.entries.size(), 1500U);
  EXPECT_EQ(some.remaining, 900U);
}

TEST_F(EtcdStoreTest, TooLargeValueIsALimit) {
  EXPECT_EQ(put(k("a"), std::string(3'000'000, 'x')).error().code, ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace margay::store
