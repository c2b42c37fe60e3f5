// The snapshot file written by a worker beside the loop.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/core/text.h"
#include "base/file/temp_dir.h"
#include "base/loop/asio_loop.h"
#include "datastore/store/memory_store.h"
#include "datastore/store/snapshot.h"
#include "gtest/gtest.h"

namespace margay::store {
namespace {

constexpr Duration kLong = std::chrono::minutes(1);

class SnapshotWriteTest : public testing::Test {
 protected:
  void open() {
    auto opened = MemoryStore::open(loop_, config_, std::make_unique<loop::Worker>(loop_));
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    store_ = std::move(opened).value();
  }
  void put(const std::string& key, std::string value) {
    std::optional<Result<Revision>> result;
    store_->put(key, std::move(value), {}, [&](Result<Revision> r) { result = std::move(r); });
    ASSERT_TRUE(loop_.run_until([&] { return result.has_value(); }, kLong));
    ASSERT_TRUE(result->ok());
  }
  [[nodiscard]] std::size_t entries_in_file() const {
    const auto snapshot = read_snapshot_file(config_.snapshot_path);
    EXPECT_TRUE(snapshot.ok()) << snapshot.error().message;
    return snapshot.ok() ? snapshot->entries.size() : 0;
  }

  file::TempDir folder_ = *file::TempDir::make();
  loop::AsioLoop loop_;
  MemoryStoreConfig config_{.history = {},
                            .snapshot_path = folder_.at("snapshot"),
                            .snapshot_delay = std::chrono::milliseconds(1),
                            .snapshot_cost_factor = 0,
                            .on_snapshot_error = {}};
  std::unique_ptr<MemoryStore> store_;
};

TEST_F(SnapshotWriteTest, FileFollowsChangesWhileTheyGoOn) {
  open();
  std::size_t count = 0;
  std::size_t seen = 0;
  // Whatever the file is at the moment, it is whole, and no older than before.
  for (int writes = 0; writes < 5;) {
    put(concat("/key", ++count), std::string(2000, 'v'));
    if (count % 50 != 0) continue;
    const std::size_t now = entries_in_file();
    EXPECT_GE(now, seen);
    EXPECT_LE(now, count);
    if (now > seen) ++writes;
    seen = now;
  }
  // The last change reaches it without another one behind it.
  EXPECT_TRUE(loop_.run_until([&] { return entries_in_file() == count; }, kLong));
}

TEST_F(SnapshotWriteTest, FlushWaitsForTheWriteUnderWayAndAddsWhatItLacks) {
  open();
  for (int round = 1; round <= 20; ++round) {
    put(concat("/a", round), std::string(100'000, 'a'));
    loop_.run_for(std::chrono::milliseconds(2));  // a write begins, or has ended
    put(concat("/b", round), "b");
    ASSERT_TRUE(store_->flush().ok());
    EXPECT_EQ(entries_in_file(), static_cast<std::size_t>(2 * round));
  }
  store_.reset();
  open();
  EXPECT_EQ(store_->entry_count(), 40U);
}

TEST_F(SnapshotWriteTest, StoreMayEndWhileTheFileIsWritten) {
  for (int round = 0; round < 10; ++round) {
    open();
    put(concat("/a", round), std::string(200'000, 'a'));
    loop_.run_for(std::chrono::milliseconds(2));
    store_.reset();
    loop_.run_for(Duration::zero());
  }
  // One file, and nothing half-written beside it.
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_.path())) ++files;
  EXPECT_EQ(files, 1U);
}

TEST_F(SnapshotWriteTest, FailureIsToldOnTheLoopAndTriedAgain) {
  int errors = 0;
  config_.on_snapshot_error = [&](const Error&) {
    EXPECT_TRUE(loop_.in_loop_thread());
    ++errors;
  };
  open();
  folder_ = *file::TempDir::make();  // the old one goes
  put("/a", "1");
  EXPECT_TRUE(loop_.run_until([&] { return errors == 2; }, kLong));
  EXPECT_FALSE(store_->flush().ok());
}

}  // namespace
}  // namespace margay::store
