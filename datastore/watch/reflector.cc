#include "datastore/watch/reflector.h"

#include <iterator>
#include <optional>
#include <utility>

#include "base/core/text.h"
#include "datastore/kube/retry.h"

namespace margay::watch {
namespace {

// A server that answers but keeps refusing to watch from our version may have lost its history (restored from a
// backup).
constexpr int kWatchRefusalsMax = 3;

kube::ApiError local_error(ErrorCode code, std::string message) {
  kube::ApiError error;
  error.code = code;
  error.message = std::move(message);
  return error;
}

}  // namespace

Outputs Reflector::step(const Input& input, TimePoint now) {
  Outputs outputs;
  std::visit([&](const auto& what) { on(what, now, outputs); }, input);
  return outputs;
}

bool Reflector::is_news(const kube::ObjectName& name, std::string_view version) const {
  const bool is_behind_all = known_.empty() || std::prev(known_.end())->first.compare(name) < 0;
  if (is_behind_all) return true;
  const auto found = known_.find(name);
  return found == known_.end() || version.empty() || found->second.version != Version(version);
}

void Reflector::on(const Start&, TimePoint, Outputs& outputs) {
  if (state_ == State::kIdle) begin_list(outputs);
}

void Reflector::begin_list(Outputs& outputs) {
  state_ = State::kListing;
  ++list_number_;
  page_version_.clear();
  has_unreadable_ = false;
  StartList list;
  list.options.label_selector = config_.label_selector;
  list.options.field_selector = config_.field_selector;
  list.options.resource_version = has_handed_over_ ? std::string() : config_.first_version;
  list.options.limit = is_unpaged_ ? 0 : config_.page_size;
  outputs.emplace_back(std::move(list));
}

void Reflector::on(const Listed& item, TimePoint, Outputs& outputs) {
  if (state_ != State::kListing) return;
  take(item.name, item.version, item.is_valid, outputs);
}

void Reflector::on(const ListedUnreadable&, TimePoint, Outputs&) { has_unreadable_ = true; }

// The one place that decides between Put, Remove and nothing for an object the server has.
void Reflector::take(const kube::ObjectName& name, const std::string& version, bool is_valid, Outputs& outputs) {
  has_handed_over_ = true;
  Known& known = entry_of(known_, name).second;
  Version fresh(version);
  const bool is_change = known.list_number == 0 || version.empty() || known.version != fresh;
  known.list_number = list_number_;
  if (!is_change) return;
  known.version = std::move(fresh);
  const bool was_present = std::exchange(known.is_present, is_valid);
  if (is_valid) {
    outputs.emplace_back(Put{});
  } else if (was_present) {
    outputs.emplace_back(Remove{name});
  }
}

void Reflector::on(const ListDone& done, TimePoint now, Outputs& outputs) {
  if (state_ != State::kListing) return;
  const kube::ListMeta& meta = done.meta;
  if (meta.resource_version.empty()) {
    return wait(State::kWaitingToList, local_error(ErrorCode::kInvalid, "the list has no resourceVersion"), outputs);
  }
  // Pages of one list are one snapshot. Were they not, the watch would miss what changed between them.
  if (!page_version_.empty() && page_version_ != meta.resource_version) {
    is_unpaged_ = true;
    return wait(State::kWaitingToList,
                local_error(ErrorCode::kUnavailable, concat("the list's pages have different resourceVersions, ",
                                                            page_version_, " and ", meta.resource_version)),
                outputs);
  }
  page_version_ = meta.resource_version;
  if (meta.continue_token.empty()) return finish_list(now, outputs);
  StartList next;
  next.options.label_selector = config_.label_selector;
  next.options.field_selector = config_.field_selector;
  next.options.limit = config_.page_size;
  next.options.continue_token = meta.continue_token;
  outputs.emplace_back(std::move(next));
}

void Reflector::finish_list(TimePoint now, Outputs& outputs) {
  version_ = page_version_;
  is_unpaged_ = false;
  watch_refusals_ = 0;
  for (auto it = known_.begin(); it != known_.end();) {
    if (it->second.list_number == list_number_ || has_unreadable_) {
      ++it;
      continue;
    }
    if (it->second.is_present) outputs.emplace_back(Remove{it->first.name()});
    it = known_.erase(it);
  }
  if (!std::exchange(is_in_sync_, true)) outputs.emplace_back(InSync{});
  begin_watch(now, outputs);
}

void Reflector::on(const ListFailed& failed, TimePoint, Outputs& outputs) {
  if (state_ != State::kListing) return;
  // 410: the snapshot the pages are taken from is no longer kept; the list takes too long for this server.
  if (failed.error.code == ErrorCode::kGone) is_unpaged_ = true;
  wait(State::kWaitingToList, failed.error, outputs);
}

void Reflector::begin_watch(TimePoint now, Outputs& outputs) {
  state_ = State::kWatching;
  watch_begun_ = now;
  watch_from_ = version_;
  StartWatch watch;
  watch.options.label_selector = config_.label_selector;
  watch.options.field_selector = config_.field_selector;
  watch.options.resource_version = version_;
  watch.options.server_timeout =
      kube::jittered_backoff(config_.watch_timeout_min, config_.watch_timeout_min * 2, 1, random_);
  outputs.emplace_back(std::move(watch));
}

// The same event again, or one that is older than what is known.
bool Reflector::is_repeat(const Watched& event) const {
  const auto known = known_.find(event.name);
  const Version version(event.version);
  // A deletion carries the version of the deletion, on some servers the object's last: it is old only if the object has
  // come back since.
  if (event.kind == kube::WatchEvent::Kind::kDeleted) {
    return known == known_.end() || version.is_older_than(known->second.version);
  }
  if (event.version.empty()) return false;
  if (version.is_older_than(Version(version_))) return true;
  return known != known_.end() && (known->second.version == version || version.is_older_than(known->second.version));
}

void Reflector::on(const Watched& event, TimePoint, Outputs& outputs) {
  if (state_ != State::kWatching) return;
  const bool is_object = event.kind != kube::WatchEvent::Kind::kBookmark;
  if (is_object && !is_repeat(event)) {
    if (event.kind == kube::WatchEvent::Kind::kDeleted) {
      remove(event, outputs);
    } else {
      take(event.name, event.version, event.is_valid, outputs);
    }
  }
  if (!event.version.empty() && !Version(event.version).is_older_than(Version(version_))) version_ = event.version;
}

void Reflector::remove(const Watched& event, Outputs& outputs) {
  const auto known = known_.find(event.name);
  if (known->second.is_present) outputs.emplace_back(Remove{event.name});
  known_.erase(known);
}

void Reflector::note_watch_end(TimePoint now) {
  if (now - watch_begun_ >= config_.backoff_reset_after) failures_ = 0;
  if (version_ != watch_from_) watch_refusals_ = 0;
}

void Reflector::on(const WatchDone&, TimePoint now, Outputs& outputs) {
  if (state_ != State::kWatching) return;
  note_watch_end(now);
  // A server that closes at once without a word would otherwise be asked in a tight loop.
  const bool was_of_use = version_ != watch_from_ || now - watch_begun_ >= config_.backoff_reset_after;
  if (was_of_use) return begin_watch(now, outputs);
  wait(State::kWaitingToWatch, local_error(ErrorCode::kUnavailable, "the server ended the watch at once"), outputs);
}

bool Reflector::must_relist(const kube::ApiError& error) const {
  return error.code == ErrorCode::kGone || error.code == ErrorCode::kInvalid ||
         error.code == ErrorCode::kLimitExceeded || watch_refusals_ >= kWatchRefusalsMax;
}

void Reflector::on(const WatchFailed& failed, TimePoint now, Outputs& outputs) {
  if (state_ != State::kWatching) return;
  note_watch_end(now);
  const bool is_refusal = failed.error.http_status != 0 && failed.error.http_status != 429;
  watch_refusals_ = is_refusal ? watch_refusals_ + 1 : 0;
  wait(must_relist(failed.error) ? State::kWaitingToList : State::kWaitingToWatch, failed.error, outputs);
}

void Reflector::wait(State next, kube::ApiError error, Outputs& outputs) {
  state_ = next;
  ++failures_;
  const Duration backoff = kube::jittered_backoff(config_.backoff_min, config_.backoff_max, failures_, random_);
  const Duration duration = std::max(backoff, error.retry_after.value_or(Duration::zero()));
  outputs.emplace_back(Report{.error = std::move(error), .is_relist = next == State::kWaitingToList});
  outputs.emplace_back(Wait{duration});
}

void Reflector::on(const TimerFired&, TimePoint now, Outputs& outputs) {
  if (state_ == State::kWaitingToList) return begin_list(outputs);
  if (state_ == State::kWaitingToWatch) begin_watch(now, outputs);
}

}  // namespace margay::watch
