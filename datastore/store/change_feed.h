// ChangeFeed: the recent past of a store, and those who watch it. Both stores append what changed; the feed keeps a
// bounded history, brings new watches up to date from it and then hands every change on.
//
//   history:  (floor) 41 42 43 44 | 45 46 (last)      | = delivered up to here; what is right of it goes out next turn
//
// Invariants
//   1. A watch sees each change of its prefix above `after` exactly once, in order of revision, one revision a call.
//   2. Nothing is dropped from the history before it has been delivered.
//   3. No callback runs from inside a call; none runs after its watch is destroyed.
// The feed outlives its watches. One loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/loop/loop.h"
#include "datastore/store/deferred.h"
#include "datastore/store/store.h"

namespace margay::store {

class ChangeFeed {
 public:
  struct Limits {
    std::size_t changes_max = 100'000;
    std::size_t bytes_max = 128 * 1024 * 1024;  // keys and values, also of what the store still holds itself
  };

  // Revisions up to and including `floor` are not known.
  ChangeFeed(loop::Loop& loop, Limits limits, Revision floor);
  ~ChangeFeed();

  // The changes of one revision above last().
  void append(std::vector<Change> changes);
  // Nothing changed up to `revision`.
  void advance(Revision revision);
  // Takes the oldest revision out of the history when a limit is passed; nullopt when there is nothing to take.
  std::optional<std::vector<Change>> drop_excess();

  std::unique_ptr<Watch> watch(std::string prefix, Revision after, WatchEvents events);
  // A watch that only ever says `error`.
  std::unique_ptr<Watch> refuse(WatchEvents events, Error error);
  // Ends every watch and forgets the history: what follows `floor` comes by append(). Also from inside a callback.
  void reset(Revision floor, const Error& error);

  [[nodiscard]] Revision floor() const { return floor_; }
  [[nodiscard]] Revision last() const { return last_; }
  [[nodiscard]] std::size_t watch_count() const { return watches_.size(); }

 private:
  class FeedWatch;
  using Group = std::vector<FeedWatch*>;  // nullptr: ended, to be swept

  void join(FeedWatch& watch);
  void leave(FeedWatch& watch);
  void flush();
  void deliver(const std::vector<Change>& changes);
  void deliver_to(const std::string& prefix, Group& group, const std::vector<Change>& changes);
  void sweep();
  void later(FeedWatch& watch, void (ChangeFeed::*step)(FeedWatch&));
  void begin(FeedWatch& watch);
  void tell_progress(FeedWatch& watch);
  void fail(FeedWatch& watch, Error error);
  bool catch_up(FeedWatch& watch);
  [[nodiscard]] FeedWatch* find(std::uint64_t id) const;

  Limits limits_;
  Revision floor_;
  Revision last_;
  Revision delivered_;
  std::deque<std::vector<Change>> history_;
  std::deque<std::vector<Change>> being_delivered_;  // the history of before a reset() inside a callback
  std::uint64_t reset_count_ = 0;
  std::size_t change_count_ = 0;
  std::size_t byte_count_ = 0;
  std::map<std::string, Group, std::less<>> groups_;  // by prefix: thousands of watches share a few prefixes
  std::map<std::uint64_t, FeedWatch*> watches_;       // by a number that is never used again
  std::uint64_t next_id_ = 1;
  bool delivering_ = false;
  bool flush_queued_ = false;
  Deferred deferred_;
};

}  // namespace margay::store
