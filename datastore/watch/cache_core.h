// CacheCore: what Cache<T> (cache.h) is made of, without the type: names, values as pointers to anything, and for each
// consumer the names it has not asked for yet.
//
// Memory: an entry for each object, and for each deleted one that a consumer still has to hear of; a pointer for each
// pending name and consumer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "base/loop/loop.h"
#include "datastore/kube/client.h"
#include "datastore/watch/name_key.h"

namespace margay::watch {

class CacheCore {
 public:
  using Value = std::shared_ptr<const void>;
  using Changes = std::vector<std::pair<kube::ObjectName, Value>>;
  static constexpr std::size_t kConsumersMax = 64;

  // `loop` outlives the cache.
  explicit CacheCore(loop::Loop& loop) : loop_(loop) {}
  CacheCore(const CacheCore&) = delete;
  CacheCore& operator=(const CacheCore&) = delete;

  void put(const kube::ObjectName& name, Value value);
  void remove(const kube::ObjectName& name);
  void mark_in_sync();

  [[nodiscard]] bool is_in_sync() const { return is_in_sync_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  // Null when there is none.
  [[nodiscard]] Value find(const kube::ObjectName& name) const;
  // In order of name.
  void for_each(const std::function<void(const kube::ObjectName&, const Value&)>& visit) const;

  // Everything there is counts as changed for a new consumer. `on_ready` runs on the loop, never from inside a call:
  // when there is something to take (again after a take that left some), and once after mark_in_sync().
  std::size_t add_consumer(std::function<void()> on_ready);
  void remove_consumer(std::size_t consumer);
  // At most `max` changes in order of name, going on where the last take ended, so that none waits for ever.
  Changes take(std::size_t consumer, std::size_t max);
  [[nodiscard]] bool has_changes(std::size_t consumer) const { return !consumers_[consumer]->pending.empty(); }

 private:
  struct Entry {
    Value value;                // null: deleted, kept until every consumer has heard of it
    std::uint64_t pending = 0;  // a bit for each consumer that has to hear of it
    std::uint64_t held = 0;     // a bit for each consumer that was handed a value, and no deletion since
  };
  using Entries = std::map<NameKey, Entry, NameKey::Less>;
  using Node = Entries::value_type;
  struct ByName {
    using is_transparent = void;
    bool operator()(const Node* a, const Node* b) const { return a->first.compare(b->first) < 0; }
    bool operator()(const NameKey& a, const Node* b) const { return a.compare(b->first) < 0; }
    bool operator()(const Node* a, const NameKey& b) const { return a->first.compare(b) < 0; }
  };
  struct Consumer {
    std::unique_ptr<loop::Timer> ready;
    absl::btree_set<Node*, ByName> pending;
    std::optional<NameKey> last_taken;
  };

  void note_change(Node& node);
  void clear_pending(Node& node, std::size_t consumer);
  void erase_if_done(Node& node);

  loop::Loop& loop_;
  Entries entries_;
  std::vector<std::unique_ptr<Consumer>> consumers_;  // null: the place is free
  std::size_t size_ = 0;
  bool is_in_sync_ = false;
};

}  // namespace margay::watch
