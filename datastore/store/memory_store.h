// MemoryStore: the store of the lab, of tests and of one server without etcd. An ordered map with every version of a
// key that the history still covers, so that a list can be read as it was at a revision.
//
// Revisions begin at `first_revision`, and at least at the microseconds of the calendar: a server started again never
// hands out a revision that its former life has used, so that a client of that life is told to list again (kGone) and
// never misses a change silently.
//
// With a snapshot file (snapshot.h) the objects survive a stop; after a crash the changes of the last `snapshot_delay`
// may be missing. With a worker the file is written beside the loop, out of a copy of the keys that shares the values.
// One loop; outlives its watches.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/inlined_vector.h"
#include "base/loop/loop.h"
#include "base/loop/worker.h"
#include "datastore/store/change_feed.h"
#include "datastore/store/deferred.h"
#include "datastore/store/store.h"

namespace margay::store {

struct MemoryStoreConfig {
  ChangeFeed::Limits history;
  std::string snapshot_path;  // empty: none
  // From the first change to the writing of the file; at least `snapshot_cost_factor` times what the last writing took,
  // so that a large store does not write all the time.
  Duration snapshot_delay = std::chrono::seconds(1);
  int snapshot_cost_factor = 20;
  // Told when the file cannot be written; the store goes on and tries again after the delay, twice it, … (at most 32).
  std::function<void(const Error& error)> on_snapshot_error;
};

class MemoryStore final : public Store {
 public:
  // Reads the snapshot file when there is one. A file that cannot be read whole is an error: it is never overwritten
  // or taken for empty. Without a worker the file is written on the loop's thread.
  static Result<std::unique_ptr<MemoryStore>> open(loop::Loop& loop, MemoryStoreConfig config,
                                                   std::unique_ptr<loop::Worker> worker = nullptr);
  // Does not write the snapshot: see flush().
  ~MemoryStore() override;

  void get(std::string key, Callback<void(Result<GetReply>)> done) override;
  void list(ListQuery query, Callback<void(Result<ListReply>)> done) override;
  void put(std::string key, std::string value, Precondition precondition,
           Callback<void(Result<Revision>)> done) override;
  void remove(std::string key, Revision expected, Callback<void(Result<Revision>)> done) override;
  std::unique_ptr<Watch> watch(std::string prefix, Revision after, WatchEvents events) override;
  void check(Callback<void(Status)> done) override;

  // Waits for the snapshot that is being written, then writes another one here if anything changed since it was begun;
  // ok without a file.
  Status flush();
  [[nodiscard]] std::size_t entry_count() const { return entry_count_; }
  [[nodiscard]] Revision revision() const { return revision_; }

 private:
  struct Version {
    Revision revision = 0;
    Bytes value;  // null: deleted
  };
  // Rising revisions; the last one is current.
  using Versions = absl::InlinedVector<Version, 1>;

  // One writing of the file; a worker's while it runs.
  struct Write;

  MemoryStore(loop::Loop& loop, MemoryStoreConfig config, std::unique_ptr<loop::Worker> worker, Revision revision);
  Result<Revision> change(std::string key, Bytes value, const Precondition& precondition);
  [[nodiscard]] const Version* current(const std::string& key) const;
  [[nodiscard]] Result<ListReply> read(const ListQuery& query) const;
  void forget_history();
  void forget_before(const Change& change);
  void schedule_snapshot();
  void begin_write();
  [[nodiscard]] std::shared_ptr<Write> next_write() const;
  void end_write(const Write& write);

  loop::Loop& loop_;
  MemoryStoreConfig config_;
  absl::btree_map<std::string, Versions> keys_;
  std::size_t entry_count_ = 0;
  Revision revision_;
  Deferred deferred_;
  ChangeFeed feed_;
  std::unique_ptr<loop::Timer> snapshot_timer_;
  Revision snapshot_revision_;
  Duration snapshot_cost_ = Duration::zero();
  int snapshot_failures_ = 0;             // in a row
  std::unique_ptr<loop::Worker> worker_;  // last: its destructor waits
};

}  // namespace margay::store
