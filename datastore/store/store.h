// Store: where the API server keeps its objects: an ordered map of keys to bytes with revisions, as etcd defines it.
//
// One revision counter for the whole store; every change takes the next number. Callbacks run on the loop's thread,
// never from inside the call that asked. Implementations: memory_store.h, etcd_store.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/task.h"

namespace margay::store {

using Revision = std::uint64_t;
// Shared, because the same bytes go to many watchers.
using Bytes = std::shared_ptr<const std::string>;

struct Entry {
  std::string key;
  Bytes value;
  Revision revision = 0;  // of its last change
};

struct GetReply {
  std::optional<Entry> entry;
  Revision store_revision = 0;
};

struct ListQuery {
  std::string prefix;
  std::size_t limit = 0;                // 0: all
  std::string start_after;              // key; for the next page
  std::optional<Revision> at_revision;  // a snapshot of the past; kGone when it is no longer kept
  bool wants_remaining = false;         // counting what follows a page costs as much as reading it
};
struct ListReply {
  std::vector<Entry> entries;  // in key order
  bool has_more = false;
  std::size_t remaining = 0;    // entries after the last one returned; only where wanted
  Revision store_revision = 0;  // the snapshot's
};

// What must be true for a change to happen; otherwise kConflict (or kAlreadyExists, kNotFound) and nothing happens.
struct Precondition {
  enum class Kind { kAbsent, kRevision };
  Kind kind = Kind::kAbsent;
  Revision revision = 0;
};

struct Change {
  std::string key;
  Bytes value;     // null: deleted
  Bytes previous;  // null: created
  Revision revision = 0;
};

struct WatchEvents {
  // All changes of one revision come in one call; revisions rise.
  std::function<void(const std::vector<Change>& changes)> on_changes;
  // Everything up to `revision` has been delivered (idle progress, for bookmarks).
  std::function<void(Revision revision)> on_progress;
  // Once, last; the watch is over. kGone: the revision asked for is compacted.
  std::function<void(Error error)> on_error;
};

// Destroying it ends the watch; no callback runs afterwards.
class Watch {
 public:
  virtual ~Watch() = default;
  // Asks for on_progress soon.
  virtual void request_progress() = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  virtual void get(std::string key, Callback<void(Result<GetReply>)> done) = 0;
  virtual void list(ListQuery query, Callback<void(Result<ListReply>)> done) = 0;
  // The new revision.
  virtual void put(std::string key, std::string value, Precondition precondition,
                   Callback<void(Result<Revision>)> done) = 0;
  virtual void remove(std::string key, Revision expected, Callback<void(Result<Revision>)> done) = 0;
  // Changes with a revision above `after`.
  virtual std::unique_ptr<Watch> watch(std::string prefix, Revision after, WatchEvents events) = 0;
  // Whether the store can be reached, for /readyz.
  virtual void check(Callback<void(Status)> done) = 0;
};

}  // namespace margay::store
