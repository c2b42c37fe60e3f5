#include "datastore/watch/cache_core.h"

#include <algorithm>

#include "base/core/check.h"

namespace margay::watch {
namespace {

std::uint64_t bit(std::size_t consumer) { return std::uint64_t{1} << consumer; }

}  // namespace

void CacheCore::put(const kube::ObjectName& name, Value value) {
  MARGAY_CHECK(value != nullptr);
  Node& node = entry_of(entries_, name);
  if (node.second.value == nullptr) ++size_;
  node.second.value = std::move(value);
  note_change(node);
}

void CacheCore::remove(const kube::ObjectName& name) {
  const auto found = entries_.find(name);
  if (found == entries_.end() || found->second.value == nullptr) return;
  --size_;
  found->second.value = nullptr;
  note_change(*found);
  erase_if_done(*found);
}

void CacheCore::note_change(Node& node) {
  for (std::size_t i = 0; i < consumers_.size(); ++i) {
    if (consumers_[i] == nullptr) continue;
    const bool is_known_absent = node.second.value == nullptr && (node.second.held & bit(i)) == 0;
    if (is_known_absent) {
      // It came and went before this consumer asked.
      clear_pending(node, i);
      continue;
    }
    if ((node.second.pending & bit(i)) != 0) continue;
    node.second.pending |= bit(i);
    consumers_[i]->pending.insert(&node);
    if (!consumers_[i]->ready->is_armed()) consumers_[i]->ready->arm(Duration::zero());
  }
}

void CacheCore::clear_pending(Node& node, std::size_t consumer) {
  if ((node.second.pending & bit(consumer)) == 0) return;
  node.second.pending &= ~bit(consumer);
  consumers_[consumer]->pending.erase(&node);
}

void CacheCore::erase_if_done(Node& node) {
  if (node.second.value == nullptr && node.second.pending == 0) entries_.erase(entries_.find(node.first));
}

void CacheCore::mark_in_sync() {
  if (std::exchange(is_in_sync_, true)) return;
  for (const auto& consumer : consumers_) {
    if (consumer != nullptr) consumer->ready->arm(Duration::zero());
  }
}

CacheCore::Value CacheCore::find(const kube::ObjectName& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second.value;
}

void CacheCore::for_each(const std::function<void(const kube::ObjectName&, const Value&)>& visit) const {
  for (const auto& [name, entry] : entries_) {
    if (entry.value != nullptr) visit(name.name(), entry.value);
  }
}

std::size_t CacheCore::add_consumer(std::function<void()> on_ready) {
  const auto free = std::find(consumers_.begin(), consumers_.end(), nullptr);
  const auto index = static_cast<std::size_t>(free - consumers_.begin());
  if (free == consumers_.end()) consumers_.emplace_back();
  MARGAY_CHECK(index < kConsumersMax);
  consumers_[index] = std::make_unique<Consumer>();
  Consumer& consumer = *consumers_[index];
  consumer.ready = loop_.make_timer([on_ready = std::move(on_ready)] { on_ready(); });
  for (Node& node : entries_) {
    node.second.held &= ~bit(index);
    if (node.second.value == nullptr) continue;
    node.second.pending |= bit(index);
    consumer.pending.insert(consumer.pending.end(), &node);
  }
  if (is_in_sync_ || !consumer.pending.empty()) consumer.ready->arm(Duration::zero());
  return index;
}

void CacheCore::remove_consumer(std::size_t consumer) {
  while (!consumers_[consumer]->pending.empty()) {
    Node& node = **consumers_[consumer]->pending.begin();
    clear_pending(node, consumer);
    erase_if_done(node);
  }
  consumers_[consumer] = nullptr;
}

CacheCore::Changes CacheCore::take(std::size_t index, std::size_t max) {
  Consumer& consumer = *consumers_[index];
  Changes changes;
  changes.reserve(std::min(max, consumer.pending.size()));
  while (changes.size() < max && !consumer.pending.empty()) {
    auto next = consumer.last_taken ? consumer.pending.upper_bound(*consumer.last_taken) : consumer.pending.begin();
    if (next == consumer.pending.end()) next = consumer.pending.begin();
    Node& node = **next;
    consumer.pending.erase(next);
    consumer.last_taken = node.first;
    node.second.pending &= ~bit(index);
    node.second.held = node.second.value == nullptr ? node.second.held & ~bit(index) : node.second.held | bit(index);
    changes.emplace_back(node.first.name(), node.second.value);
    erase_if_done(node);
  }
  if (consumer.pending.empty()) {
    consumer.last_taken.reset();
  } else if (!consumer.ready->is_armed()) {
    consumer.ready->arm(Duration::zero());
  }
  return changes;
}

}  // namespace margay::watch
