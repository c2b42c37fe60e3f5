#include "datastore/store/change_feed.h"

#include <algorithm>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"

namespace margay::store {
namespace {

std::size_t size_of(const std::vector<Change>& changes) {
  std::size_t bytes = 0;
  for (const Change& change : changes) bytes += change.key.size() + (change.value ? change.value->size() : 0);
  return bytes;
}

std::vector<Change> under(std::string_view prefix, const std::vector<Change>& changes) {
  std::vector<Change> matching;
  for (const Change& change : changes)
    if (change.key.starts_with(prefix)) matching.push_back(change);
  return matching;
}

Error gone(Revision after, Revision floor) {
  return Error{ErrorCode::kGone, concat("revision ", after, " is no longer kept; the oldest is ", floor)};
}

}  // namespace

class ChangeFeed::FeedWatch final : public Watch {
 public:
  FeedWatch(ChangeFeed& feed, std::string watched, Revision after, WatchEvents callbacks)
      : feed_(feed), id(feed.next_id_++), prefix(std::move(watched)), delivered(after), events(std::move(callbacks)) {
    feed_.watches_.emplace(id, this);
  }
  ~FeedWatch() override {
    feed_.leave(*this);
    feed_.watches_.erase(id);
  }
  void request_progress() override {
    if (wants_progress || is_over) return;
    wants_progress = true;
    if (is_joined) feed_.later(*this, &ChangeFeed::tell_progress);
  }

 private:
  ChangeFeed& feed_;

 public:
  const std::uint64_t id;
  const std::string prefix;
  Revision delivered;
  WatchEvents events;
  std::optional<Error> refusal;
  bool is_joined = false;
  bool is_over = false;
  bool wants_progress = false;
};

ChangeFeed::ChangeFeed(loop::Loop& loop, Limits limits, Revision floor)
    : limits_(limits), floor_(floor), last_(floor), delivered_(floor), deferred_(loop) {}

ChangeFeed::~ChangeFeed() { MARGAY_CHECK(watches_.empty()); }

void ChangeFeed::append(std::vector<Change> changes) {
  MARGAY_CHECK(!changes.empty() && changes.front().revision > last_);
  last_ = changes.front().revision;
  change_count_ += changes.size();
  byte_count_ += size_of(changes);
  history_.push_back(std::move(changes));
  if (flush_queued_) return;
  flush_queued_ = true;
  deferred_.run([this] { flush(); });
}

void ChangeFeed::advance(Revision revision) {
  if (revision <= last_) return;
  if (delivered_ == last_) delivered_ = revision;
  last_ = revision;
}

std::optional<std::vector<Change>> ChangeFeed::drop_excess() {
  if (change_count_ <= limits_.changes_max && byte_count_ <= limits_.bytes_max) return std::nullopt;
  if (history_.empty() || history_.front().front().revision > delivered_) return std::nullopt;
  std::vector<Change> oldest = std::move(history_.front());
  history_.pop_front();
  floor_ = oldest.front().revision;
  change_count_ -= oldest.size();
  byte_count_ -= size_of(oldest);
  return oldest;
}

std::unique_ptr<Watch> ChangeFeed::watch(std::string prefix, Revision after, WatchEvents events) {
  auto watch = std::make_unique<FeedWatch>(*this, std::move(prefix), after, std::move(events));
  later(*watch, &ChangeFeed::begin);
  return watch;
}

std::unique_ptr<Watch> ChangeFeed::refuse(WatchEvents events, Error error) {
  auto watch = std::make_unique<FeedWatch>(*this, "", 0, std::move(events));
  watch->refusal = std::move(error);
  later(*watch, &ChangeFeed::begin);
  return watch;
}

void ChangeFeed::reset(Revision floor, const Error& error) {
  for (const auto& [id, watch] : watches_) {
    watch->refusal = error;
    watch->is_joined = false;
    later(*watch, &ChangeFeed::begin);
  }
  // Inside a watch's callback flush() is still reading both.
  if (delivering_) {
    for (auto& [prefix, group] : groups_) std::fill(group.begin(), group.end(), nullptr);
    if (being_delivered_.empty()) being_delivered_.swap(history_);
  } else {
    groups_.clear();
  }
  history_.clear();
  ++reset_count_;
  change_count_ = byte_count_ = 0;
  floor_ = last_ = delivered_ = floor;
}

ChangeFeed::FeedWatch* ChangeFeed::find(std::uint64_t id) const {
  const auto it = watches_.find(id);
  return it == watches_.end() ? nullptr : it->second;
}

// The step is skipped when the watch is gone by then.
void ChangeFeed::later(FeedWatch& watch, void (ChangeFeed::*step)(FeedWatch&)) {
  deferred_.run([this, id = watch.id, step] {
    if (FeedWatch* target = find(id)) (this->*step)(*target);
  });
}

void ChangeFeed::begin(FeedWatch& watch) {
  if (watch.is_over) return;
  if (watch.refusal) return fail(watch, *std::exchange(watch.refusal, std::nullopt));
  if (watch.is_joined) return;
  if (watch.delivered < floor_) return fail(watch, gone(watch.delivered, floor_));
  if (!catch_up(watch)) return;
  join(watch);
  if (watch.wants_progress) tell_progress(watch);
}

// False when its own callback destroyed the watch, or reset the feed.
bool ChangeFeed::catch_up(FeedWatch& watch) {
  const auto first = std::partition_point(history_.begin(), history_.end(), [&](const std::vector<Change>& changes) {
    return changes.front().revision <= watch.delivered;
  });
  // A copy of the few that match: callbacks may append to the history or drop from it.
  std::vector<std::vector<Change>> missed;
  for (auto it = first; it != history_.end() && it->front().revision <= delivered_; ++it)
    if (auto changes = under(watch.prefix, *it); !changes.empty()) missed.push_back(std::move(changes));
  const std::uint64_t id = watch.id;
  for (const std::vector<Change>& changes : missed) {
    watch.delivered = changes.front().revision;
    if (const auto on_changes = watch.events.on_changes) on_changes(changes);
    if (find(id) == nullptr || watch.refusal) return false;
  }
  watch.delivered = std::max(watch.delivered, delivered_);
  return true;
}

void ChangeFeed::tell_progress(FeedWatch& watch) {
  if (watch.is_over || !watch.is_joined || !watch.wants_progress) return;
  watch.wants_progress = false;
  if (const auto on_progress = watch.events.on_progress) on_progress(std::max(watch.delivered, delivered_));
}

void ChangeFeed::fail(FeedWatch& watch, Error error) {
  leave(watch);
  watch.is_over = true;
  if (const auto on_error = watch.events.on_error) on_error(std::move(error));
}

void ChangeFeed::join(FeedWatch& watch) {
  groups_[watch.prefix].push_back(&watch);
  watch.is_joined = true;
}

void ChangeFeed::leave(FeedWatch& watch) {
  if (!std::exchange(watch.is_joined, false)) return;
  const auto group = groups_.find(watch.prefix);
  if (group == groups_.end()) return;
  std::replace(group->second.begin(), group->second.end(), &watch, static_cast<FeedWatch*>(nullptr));
  if (!delivering_) sweep();
}

void ChangeFeed::sweep() {
  for (auto it = groups_.begin(); it != groups_.end();) {
    std::erase(it->second, nullptr);
    it = it->second.empty() ? groups_.erase(it) : std::next(it);
  }
}

void ChangeFeed::flush() {
  flush_queued_ = false;
  delivering_ = true;
  while (true) {
    const auto next = std::partition_point(history_.begin(), history_.end(), [&](const std::vector<Change>& changes) {
      return changes.front().revision <= delivered_;
    });
    if (next == history_.end()) break;
    const Revision revision = next->front().revision;
    const std::uint64_t resets = reset_count_;
    deliver(*next);
    if (reset_count_ == resets) delivered_ = revision;
  }
  delivered_ = last_;
  delivering_ = false;
  being_delivered_.clear();
  sweep();
}

void ChangeFeed::deliver(const std::vector<Change>& changes) {
  for (auto& [prefix, group] : groups_) deliver_to(prefix, group, changes);
}

void ChangeFeed::deliver_to(const std::string& prefix, Group& group, const std::vector<Change>& changes) {
  const bool all_match =
      std::all_of(changes.begin(), changes.end(), [&](const Change& change) { return change.key.starts_with(prefix); });
  const std::vector<Change> some = all_match ? std::vector<Change>{} : under(prefix, changes);
  const std::vector<Change>& matching = all_match ? changes : some;
  const Revision revision = changes.front().revision;
  // By index: a callback may end watches, never add one.
  for (std::size_t i = 0; i < group.size(); ++i) {
    FeedWatch* watch = group[i];
    if (watch == nullptr || watch->delivered >= revision) continue;
    watch->delivered = revision;
    // A copy, because the callback may destroy the watch.
    if (const auto on_changes = watch->events.on_changes; !matching.empty()) on_changes(matching);
  }
}

}  // namespace margay::store
