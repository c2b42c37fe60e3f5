// Cache<T>: what the API server has of one kind, decoded, handed to any number of consumers as batches of changes.
//
//   KindWatch<T> ──put, remove──▶ Cache<T> ──on_ready──▶ consumer, which takes: [(name, value or nothing), …]
//
// Level-based: a change says what is there now (a value, or null for absent), not what happened. Ten updates of a name
// before the consumer takes are one change; what came and went in between is none. Values are immutable and shared: a
// batch may go to another loop as it is. A consumer sees deletions only of what it was handed.
// One loop. Consumers are destroyed before the cache.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "datastore/watch/cache_core.h"

namespace margay::watch {

template <class T>
struct Change {
  kube::ObjectName name;
  std::shared_ptr<const T> value;  // null: absent
};

template <class T>
struct Batch {
  std::vector<Change<T>> changes;
  // The first whole list is in the cache and this consumer has been handed all of it; stays true.
  bool is_in_sync = false;
};

// Destroying it ends the subscription.
template <class T>
class Consumer {
 public:
  Consumer(CacheCore& core, std::function<void()> on_ready)
      : core_(core), id_(core.add_consumer(std::move(on_ready))) {}
  ~Consumer() { core_.remove_consumer(id_); }
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  // At most `max` changes. What is left makes on_ready run again.
  Batch<T> take(std::size_t max = std::numeric_limits<std::size_t>::max()) {
    Batch<T> batch;
    auto changes = core_.take(id_, max);
    batch.changes.reserve(changes.size());
    for (auto& [name, value] : changes) {
      batch.changes.push_back({std::move(name), std::static_pointer_cast<const T>(std::move(value))});
    }
    was_in_sync_ = was_in_sync_ || (core_.is_in_sync() && !core_.has_changes(id_));
    batch.is_in_sync = was_in_sync_;
    return batch;
  }
  // There is something to take.
  [[nodiscard]] bool has_changes() const { return core_.has_changes(id_); }

 private:
  CacheCore& core_;
  std::size_t id_;
  bool was_in_sync_ = false;
};

template <class T>
class Cache {
 public:
  // `loop` outlives the cache.
  explicit Cache(loop::Loop& loop) : core_(loop) {}

  // `on_ready` runs on the loop, never from inside a call: when there is something to take, and when the cache comes in
  // sync (also if it is empty).
  std::unique_ptr<Consumer<T>> subscribe(std::function<void()> on_ready) {
    return std::make_unique<Consumer<T>>(core_, std::move(on_ready));
  }

  void put(const kube::ObjectName& name, std::shared_ptr<const T> value) { core_.put(name, std::move(value)); }
  void remove(const kube::ObjectName& name) { core_.remove(name); }
  void mark_in_sync() { core_.mark_in_sync(); }

  [[nodiscard]] bool is_in_sync() const { return core_.is_in_sync(); }
  [[nodiscard]] std::size_t size() const { return core_.size(); }
  // Null when there is none.
  [[nodiscard]] std::shared_ptr<const T> find(const kube::ObjectName& name) const {
    return std::static_pointer_cast<const T>(core_.find(name));
  }
  // In order of name.
  template <class Visit>
  void for_each(Visit visit) const {
    core_.for_each([&visit](const kube::ObjectName& name, const CacheCore::Value& value) {
      visit(name, *static_cast<const T*>(value.get()));
    });
  }

 private:
  CacheCore core_;
};

}  // namespace margay::watch
