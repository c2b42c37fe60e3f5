#include "datastore/store/memory_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/loop/sim_loop.h"
#include "gtest/gtest.h"

namespace margay::store {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Precondition kAbsent{};
constexpr Precondition at(Revision revision) { return {Precondition::Kind::kRevision, revision}; }

class TemporaryFolder {
 public:
  TemporaryFolder() {
    char name[] = "/tmp/margay-store-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~TemporaryFolder() {
    (void)::unlink(file("snapshot").c_str());
    (void)::rmdir(path_.c_str());
  }
  [[nodiscard]] std::string file(std::string_view name) const { return concat(path_, '/', name); }

 private:
  std::string path_;
};

std::string read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct Seen {
  std::vector<std::string> events;
  std::vector<Revision> progress;
  std::optional<Error> error;

  WatchEvents events_here() {
    return {[this](const std::vector<Change>& changes) {
              for (const Change& change : changes)
                events.push_back(concat(change.key, "=", change.value ? *change.value : "(deleted)"));
            },
            [this](Revision revision) { progress.push_back(revision); },
            [this](Error failure) { error = std::move(failure); }};
  }
};

class MemoryStoreTest : public testing::Test {
 protected:
  void open(MemoryStoreConfig config = {}) {
    auto opened = MemoryStore::open(loop_, std::move(config));
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    store_ = std::move(opened).value();
  }
  template <class T>
  Result<T> wait(std::optional<Result<T>>& result) {
    EXPECT_FALSE(result.has_value()) << "the callback ran inside the call";
    loop_.run_until_idle();
    EXPECT_TRUE(result.has_value());
    return std::move(*result);
  }
  Result<Revision> put(std::string key, std::string value, Precondition precondition = kAbsent) {
    std::optional<Result<Revision>> result;
    store_->put(std::move(key), std::move(value), precondition, [&](Result<Revision> r) { result = std::move(r); });
    return wait(result);
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
  std::string keys(const ListReply& reply) {
    std::string out;
    for (const Entry& entry : reply.entries) out += concat(entry.key, "=", *entry.value, " ");
    return out;
  }

  loop::SimLoop loop_;
  std::unique_ptr<MemoryStore> store_;
};

TEST_F(MemoryStoreTest, PutGetRemoveFollowPreconditions) {
  open();
  EXPECT_FALSE(get("/a")->entry);
  const Revision first = put("/a", "1").value();
  EXPECT_EQ(put("/a", "2").error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(put("/a", "2", at(first + 1)).error().code, ErrorCode::kConflict);
  EXPECT_EQ(put("/b", "2", at(first)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(get("/a")->entry->revision, first);
  const Revision second = put("/a", "2", at(first)).value();
  EXPECT_EQ(second, first + 1);
  EXPECT_EQ(*get("/a")->entry->value, "2");
  EXPECT_EQ(remove("/a", first).error().code, ErrorCode::kConflict);
  EXPECT_EQ(remove("/a", second).value(), second + 1);
  EXPECT_EQ(remove("/a", second).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(get("/a")->store_revision, second + 1);
  EXPECT_EQ(store_->entry_count(), 0U);
  EXPECT_TRUE(put("/a", "3").ok()) << "a key that was deleted is absent";
}

TEST_F(MemoryStoreTest, ListIsOrderedPagedAndCountsTheRest) {
  open();
  for (const char* key : {"/p/c", "/p/a", "/q/a", "/p/b", "/o/z", "/p/d"}) ASSERT_TRUE(put(key, "v").ok());
  EXPECT_EQ(keys(*list({.prefix = "/p/", .limit = 0, .start_after = "", .at_revision = {}})),
            "/p/a=v /p/b=v /p/c=v /p/d=v ");
  for (const bool wants_remaining : {false, true}) {
    const ListReply page =
        *list({.prefix = "/p/", .limit = 2, .start_after = "", .at_revision = {}, .wants_remaining = wants_remaining});
    EXPECT_EQ(keys(page), "/p/a=v /p/b=v ");
    EXPECT_TRUE(page.has_more);
    EXPECT_EQ(page.remaining, wants_remaining ? 2U : 0U);
  }
  const ListReply last = *list({.prefix = "/p/", .limit = 2, .start_after = "/p/b", .at_revision = {}});
  EXPECT_EQ(keys(last), "/p/c=v /p/d=v ");
  EXPECT_FALSE(last.has_more);
}

TEST_F(MemoryStoreTest, ListAtARevisionShowsTheStoreAsItWasThen) {
  open();
  const Revision a1 = put("/a", "1").value();
  const Revision b1 = put("/b", "1").value();
  const Revision a2 = put("/a", "2", at(a1)).value();
  const Revision b2 = remove("/b", b1).value();
  const Revision c1 = put("/c", "1").value();
  const auto as_of = [&](Revision revision) {
    return keys(*list({.prefix = "/", .limit = 0, .start_after = "", .at_revision = revision}));
  };
  EXPECT_EQ(as_of(a1), "/a=1 ");
  EXPECT_EQ(as_of(b1), "/a=1 /b=1 ");
  EXPECT_EQ(as_of(a2), "/a=2 /b=1 ");
  EXPECT_EQ(as_of(b2), "/a=2 ");
  EXPECT_EQ(as_of(c1), "/a=2 /c=1 ");
  EXPECT_EQ(list({.prefix = "/", .limit = 0, .start_after = "", .at_revision = c1 + 1}).error().code, ErrorCode::kGone);
  EXPECT_EQ(list({.prefix = "/", .limit = 0, .start_after = "", .at_revision = a1 - 2}).error().code, ErrorCode::kGone);
}

TEST_F(MemoryStoreTest, HistoryIsBoundedByCountAndOlderRevisionsAreGone) {
  open({.history = {.changes_max = 3, .bytes_max = 1'000'000}, .snapshot_path = "", .on_snapshot_error = {}});
  std::vector<Revision> revisions{put("/a", "0").value()};
  for (int i = 1; i < 8; ++i) revisions.push_back(put("/a", concat(i), at(revisions.back())).value());
  const auto as_of = [&](Revision revision) {
    return list({.prefix = "/", .limit = 0, .start_after = "", .at_revision = revision});
  };
  EXPECT_EQ(as_of(revisions[3]).error().code, ErrorCode::kGone);
  EXPECT_EQ(keys(*as_of(revisions[4])), "/a=4 ");
  Seen old;
  Seen fresh;
  const auto gone = store_->watch("/", revisions[3], old.events_here());
  const auto works = store_->watch("/", revisions[4], fresh.events_here());
  loop_.run_until_idle();
  ASSERT_TRUE(old.error);
  EXPECT_EQ(old.error->code, ErrorCode::kGone);
  EXPECT_EQ(fresh.events, (std::vector<std::string>{"/a=5", "/a=6", "/a=7"}));
}

TEST_F(MemoryStoreTest, HistoryIsBoundedByBytes) {
  open({.history = {.changes_max = 1'000'000, .bytes_max = 1000}, .snapshot_path = "", .on_snapshot_error = {}});
  std::vector<Revision> revisions{put("/a", std::string(300, 'x')).value()};
  for (int i = 1; i < 6; ++i) revisions.push_back(put("/a", std::string(300, 'y'), at(revisions.back())).value());
  EXPECT_EQ(list({.prefix = "/", .limit = 0, .start_after = "", .at_revision = revisions[1]}).error().code,
            ErrorCode::kGone);
  EXPECT_TRUE(list({.prefix = "/", .limit = 0, .start_after = "", .at_revision = revisions[4]}).ok());
}

TEST_F(MemoryStoreTest, DeletedKeysLeaveNothingBehindOnceTheHistoryForgetsThem) {
  open({.history = {.changes_max = 2, .bytes_max = 1'000'000}, .snapshot_path = "", .on_snapshot_error = {}});
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(remove("/a", put("/a", "x").value()).ok());
  const Revision b = put("/b", "1").value();
  const Revision c = put("/c", "1").value();
  EXPECT_EQ(keys(*list({.prefix = "/", .limit = 0, .start_after = "", .at_revision = b})), "/b=1 ");
  EXPECT_EQ(keys(*list({.prefix = "/", .limit = 0, .start_after = "", .at_revision = c})), "/b=1 /c=1 ");
}

TEST_F(MemoryStoreTest, WatchGivesHistoryThenWhatFollows) {
  open();
  const Revision before = put("/p/a", "1").value();
  ASSERT_TRUE(put("/q/a", "1").ok());
  const Revision b = put("/p/b", "1").value();
  Seen seen;
  const auto watch = store_->watch("/p/", before, seen.events_here());
  EXPECT_TRUE(seen.events.empty());
  ASSERT_TRUE(remove("/p/b", b).ok());
  ASSERT_TRUE(put("/q/b", "1").ok());
  ASSERT_TRUE(put("/p/c", "1").ok());
  EXPECT_EQ(seen.events, (std::vector<std::string>{"/p/b=1", "/p/b=(deleted)", "/p/c=1"}));
  EXPECT_FALSE(seen.error);
}

TEST_F(MemoryStoreTest, WatchTellsWhatWasThereBefore) {
  open();
  const Revision a = put("/a", "1").value();
  std::vector<Change> changes;
  const auto watch = store_->watch(
      "/", a, {[&](const std::vector<Change>& c) { changes.insert(changes.end(), c.begin(), c.end()); }, {}, {}});
  const Revision a2 = put("/a", "2", at(a)).value();
  ASSERT_TRUE(remove("/a", a2).ok());
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(*changes[0].previous, "1");
  EXPECT_EQ(*changes[0].value, "2");
  EXPECT_EQ(*changes[1].previous, "2");
  EXPECT_EQ(changes[1].value, nullptr);
  EXPECT_EQ(changes[1].revision, a2 + 1);
}

TEST_F(MemoryStoreTest, ProgressIsToldAfterWhatItCovers) {
  open();
  Seen seen;
  const auto watch = store_->watch("/p/", store_->revision(), seen.events_here());
  const Revision last = put("/q/a", "1").value();
  watch->request_progress();
  EXPECT_TRUE(seen.progress.empty());
  loop_.run_until_idle();
  EXPECT_EQ(seen.progress, std::vector<Revision>{last});
}

TEST_F(MemoryStoreTest, EndedWatchIsSilentEvenWhenItEndsInsideACallback) {
  open();
  Seen other;
  std::unique_ptr<Watch> watch;
  int calls = 0;
  watch = store_->watch("/", store_->revision(),
                        {[&](const std::vector<Change>&) {
                           ++calls;
                           watch.reset();
                         },
                         {},
                         {}});
  const auto neighbour = store_->watch("/", store_->revision(), other.events_here());
  loop_.run_until_idle();
  ASSERT_TRUE(put("/a", "1").ok());
  ASSERT_TRUE(put("/b", "1").ok());
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(other.events.size(), 2U);
}

TEST_F(MemoryStoreTest, RevisionOfAnotherLifeIsGone) {
  open();
  const Revision then = put("/a", "1").value();
  store_.reset();
  loop_.advance(seconds(1));
  open();
  EXPECT_GT(store_->revision(), then) << "a new life begins above everything the old one used";
  Seen old;
  Seen future;
  const auto from_old = store_->watch("/", then, old.events_here());
  const auto from_future = store_->watch("/", store_->revision() + 5, future.events_here());
  loop_.run_until_idle();
  EXPECT_EQ(old.error->code, ErrorCode::kGone);
  EXPECT_EQ(future.error->code, ErrorCode::kGone);
}

TEST_F(MemoryStoreTest, SnapshotComesBackAndIsWrittenOnceForManyChanges) {
  const TemporaryFolder folder;
  const MemoryStoreConfig config{.history = {}, .snapshot_path = folder.file("snapshot"), .on_snapshot_error = {}};
  open(config);
  ASSERT_TRUE(put("/a", "line\nbreak").ok());
  const Revision b = put("/b", "{\"x\":1}").value();
  EXPECT_EQ(read_all(config.snapshot_path), "") << "the first change waits";
  loop_.advance(milliseconds(1100));
  const std::string written = read_all(config.snapshot_path);
  EXPECT_TRUE(written.starts_with("margay-snapshot 1 "));
  ASSERT_TRUE(put("/c", "3").ok());
  ASSERT_TRUE(store_->flush().ok());
  store_.reset();
  open(config);
  EXPECT_EQ(keys(*list({.prefix = "/", .limit = 0, .start_after = "", .at_revision = {}})),
            "/a=line\nbreak /b={\"x\":1} /c=3 ");
  EXPECT_EQ(get("/b")->entry->revision, b) << "revisions of entries survive";
  EXPECT_EQ(store_->entry_count(), 3U);
}

TEST_F(MemoryStoreTest, DamagedSnapshotIsRefusedAndKept) {
  const TemporaryFolder folder;
  const MemoryStoreConfig config{.history = {}, .snapshot_path = folder.file("snapshot"), .on_snapshot_error = {}};
  open(config);
  ASSERT_TRUE(put("/a", "value").ok());
  ASSERT_TRUE(store_->flush().ok());
  store_.reset();
  const std::string good = read_all(config.snapshot_path);
  for (std::size_t size = 0; size <= good.size(); ++size) {
    std::string bad = good.substr(0, size);
    if (size == good.size()) bad[good.find("value")] = 'V';
    std::ofstream(config.snapshot_path, std::ios::binary | std::ios::trunc) << bad;
    const auto opened = MemoryStore::open(loop_, config);
    ASSERT_FALSE(opened.ok()) << "cut to " << size;
    EXPECT_NE(opened.error().message.find("offset"), std::string::npos);
    EXPECT_NE(opened.error().message.find(config.snapshot_path), std::string::npos);
    EXPECT_EQ(read_all(config.snapshot_path), bad);
  }
}

TEST_F(MemoryStoreTest, FolderThatIsNotThereIsRefusedAtOnce) {
  const auto opened = MemoryStore::open(
      loop_, {.history = {}, .snapshot_path = "/nonexistent/margay/snapshot", .on_snapshot_error = {}});
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message.find("cannot write into /nonexistent/margay/"), std::string::npos)
      << opened.error().message;
}

TEST_F(MemoryStoreTest, SnapshotThatCannotBeWrittenIsToldAndTriedAgain) {
  int errors = 0;
  {
    const TemporaryFolder folder;
    open({.history = {}, .snapshot_path = folder.file("snapshot"), .on_snapshot_error = [&](const Error&) {
            ++errors;
          }});
  }
  ASSERT_TRUE(put("/a", "1").ok());
  loop_.advance(milliseconds(3500));
  EXPECT_EQ(errors, 2) << "after one second, and after two more";
  EXPECT_FALSE(store_->flush().ok());
  EXPECT_EQ(*get("/a")->entry->value, "1");
}

// Random changes, with watches that begin at random revisions: each watch replayed over the list it began with gives
// the list of now.
TEST_F(MemoryStoreTest, ListPlusWatchIsAlwaysThePresent) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRandom random(seed);
    open({.history = {.changes_max = 1 + random.below(60), .bytes_max = 100'000},
          .snapshot_path = "",
          .on_snapshot_error = {}});
    std::map<std::string, std::string> replica;
    std::unique_ptr<Watch> watch;
    for (int step = 0; step < 300; ++step) {
      const std::string key = concat("/k", random.below(12));
      const auto entry = get(key)->entry;
      if (!entry)
        ASSERT_TRUE(put(key, concat(step)).ok());
      else if (random.below(3) == 0)
        ASSERT_TRUE(remove(key, entry->revision).ok());
      else
        ASSERT_TRUE(put(key, concat(step), at(entry->revision)).ok());
      if (step % 50 == 10) {
        replica.clear();
        const ListReply reply = *list({.prefix = "/", .limit = 0, .start_after = "", .at_revision = {}});
        for (const Entry& e : reply.entries) replica[e.key] = *e.value;
        watch = store_->watch("/", reply.store_revision,
                              {[&](const std::vector<Change>& changes) {
                                 for (const Change& change : changes) {
                                   if (change.value)
                                     replica[change.key] = *change.value;
                                   else
                                     replica.erase(change.key);
                                 }
                               },
                               {},
                               [](const Error& error) { FAIL() << error.message; }});
      }
    }
    loop_.run_until_idle();
    std::map<std::string, std::string> now;
    const ListReply reply = *list({.prefix = "/", .limit = 0, .start_after = "", .at_revision = {}});
    for (const Entry& e : reply.entries) now[e.key] = *e.value;
    EXPECT_EQ(replica, now) << "seed " << seed;
    watch.reset();
  }
}

}  // namespace
}  // namespace margay::store
