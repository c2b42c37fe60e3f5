// The watching half of EtcdStore.
#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "datastore/store/etcd_store.h"

namespace margay::store {
namespace {

constexpr std::string_view kWatch = "/v3/watch";
// So far back the shared watch begins, for clients that come from a server that was here before.
constexpr Revision kHistoryRevisions = 10'000;
constexpr Duration kRetryMin = std::chrono::milliseconds(100);
constexpr Duration kRetryMax = std::chrono::seconds(5);

}  // namespace

// What watch() gives out: waits for the feed, then is one of its watches.
class EtcdStore::WaitingWatch final : public Watch {
 public:
  WaitingWatch(EtcdStore& store, std::string watched, Revision from, WatchEvents callbacks)
      : store_(store),
        id(store.next_watch_id_++),
        prefix(std::move(watched)),
        after(from),
        events(std::move(callbacks)) {
    store_.watches_.emplace(id, this);
  }
  ~WaitingWatch() override { store_.watches_.erase(id); }
  void request_progress() override {
    if (inner) return inner->request_progress();
    wants_progress = true;
  }

 private:
  EtcdStore& store_;

 public:
  const std::uint64_t id;
  const std::string prefix;
  const Revision after;
  WatchEvents events;
  bool is_checking = false;
  bool is_known = false;  // `after` is no revision of the future
  bool wants_progress = false;
  std::unique_ptr<Watch> inner;
};

std::unique_ptr<Watch> EtcdStore::watch(std::string prefix, Revision after, WatchEvents events) {
  auto watch = std::make_unique<WaitingWatch>(*this, std::move(prefix), after, std::move(events));
  if (!std::exchange(is_feed_wanted_, true)) begin_feed();
  deferred_.run([this] { admit_waiting(); });
  return watch;
}

void EtcdStore::admit_waiting() {
  if (!has_feed_begun_) return;
  std::vector<WaitingWatch*> waiting;
  for (const auto& [id, watch] : watches_)
    if (!watch->inner) waiting.push_back(watch);
  for (WaitingWatch* watch : waiting) {
    if (watch->after > feed_->last() && !watch->is_known) {
      check_future(*watch);
      continue;
    }
    // The feed keeps its own copy of the events; a watch that ends inside one of them takes both along.
    watch->inner = feed_->watch(watch->prefix, watch->after, watch->events);
    if (watch->wants_progress) watch->inner->request_progress();
  }
}

// A client that comes from another life of the cluster (restored from a backup, or another cluster altogether) must
// list again; one that has just heard of a change before the feed did must not.
void EtcdStore::check_future(WaitingWatch& watch) {
  if (std::exchange(watch.is_checking, true)) return;
  get(config_.root, [this, id = watch.id](const Result<GetReply>& reply) {
    const auto found = watches_.find(id);
    if (found == watches_.end() || found->second->inner) return;
    WaitingWatch& checked = *found->second;
    checked.is_checking = false;
    if (!reply) return;  // tried again when the feed is back
    if (checked.after > reply->store_revision) {
      checked.inner = feed_->refuse(
          checked.events,
          Error{ErrorCode::kGone,
                concat("revision ", checked.after, " is not of this store, which is at ", reply->store_revision)});
      return;
    }
    checked.is_known = true;
    admit_waiting();
  });
}

void EtcdStore::begin_feed() {
  get(config_.root, [this](const Result<GetReply>& reply) {
    if (!reply) return feed_lost(reply.error());
    const Revision present = reply->store_revision;
    const Revision begin = present > kHistoryRevisions ? present - kHistoryRevisions : 1;
    // If that is compacted, etcd says where its history begins once the watch is made, and nothing may begin before.
    list({.prefix = config_.root, .limit = 1, .start_after = "", .at_revision = begin},
         [this, begin](const Result<ListReply>& old) {
           if (!old && old.error().code != ErrorCode::kGone) return feed_lost(old.error());
           is_cancel_expected_ = !old;
           open_feed(begin);
         });
  });
}

void EtcdStore::open_feed(Revision after) {
  if (!has_feed_begun_) feed_->reset(after, Error{ErrorCode::kGone, "the history begins elsewhere"});
  etcd::Client::StreamEvents events;
  events.on_line = [this](std::string_view line) { on_line(line); };
  // Not inside the stream's own callback, which feed_lost() destroys.
  events.on_end = [this](const Error& error) { deferred_.run([this, error] { feed_lost(error); }); };
  stream_ = client_.stream(std::string(kWatch), etcd::encode_watch(config_.root, after), std::move(events));
}

void EtcdStore::on_line(std::string_view line) {
  auto reply = etcd::decode_watch(line);
  if (!reply) {
    deferred_.run([this, error = reply.error()] { feed_lost(error); });
    return;
  }
  on_reply(std::move(reply).value());
}

void EtcdStore::on_reply(etcd::WatchReply reply) {
  if (reply.is_canceled) {
    const Revision compacted = reply.compacted;
    if (compacted == 0) {
      deferred_.run([this, reason = reply.reason] { feed_lost({ErrorCode::kUnavailable, "etcd: " + reason}); });
      return;
    }
    if (has_feed_begun_) log_.warn("etcd's history was compacted before it was read; watches begin again");
    is_cancel_expected_ = false;
    feed_->reset(compacted, Error{ErrorCode::kGone, concat("etcd is compacted up to revision ", compacted)});
    has_feed_begun_ = true;
    deferred_.run([this, compacted] { open_feed(compacted); });
    return;
  }
  feed_failures_ = 0;
  if (reply.is_created) {
    if (is_cancel_expected_) return;
    has_feed_begun_ = true;
    deferred_.run([this] { admit_waiting(); });
    return;
  }
  if (reply.changes.empty()) return feed_->advance(reply.revision);
  feed_changes(std::move(reply.changes));
}

void EtcdStore::feed_changes(std::vector<Change> changes) {
  for (auto first = changes.begin(); first != changes.end();) {
    const auto last =
        std::find_if(first, changes.end(), [&](const Change& c) { return c.revision != first->revision; });
    if (first->revision > feed_->last()) feed_->append({std::make_move_iterator(first), std::make_move_iterator(last)});
    first = last;
  }
  while (feed_->drop_excess()) {
  }
}

void EtcdStore::feed_lost(const Error& error) {
  stream_.reset();
  const Duration base = std::min(kRetryMin * (1 << std::min(feed_failures_, 6)), kRetryMax);
  if (feed_failures_++ == 0) log_.warn("the watch of etcd broke off; trying again", {{"error", error}});
  // Between half and the whole of it, so that servers do not come back together.
  retry_timer_->arm(base / 2 +
                    std::chrono::duration_cast<Duration>(random_.unit() * std::chrono::duration<double>(base / 2)));
}

void EtcdStore::restart_feed() {
  if (has_feed_begun_) return open_feed(feed_->last());
  begin_feed();
}

}  // namespace margay::store
