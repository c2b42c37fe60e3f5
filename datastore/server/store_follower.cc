#include "datastore/server/store_follower.h"

#include <utility>

namespace margay::server {
namespace {

constexpr std::size_t kFollowerPageSize = 500;
constexpr Duration kRestartDelay = std::chrono::seconds(1);

}  // namespace

StoreFollower::StoreFollower(loop::Loop& loop, store::Store& store, std::string prefix, Events events)
    : store_(store),
      prefix_(std::move(prefix)),
      events_(std::move(events)),
      timer_(loop.make_timer([this] { start(); })) {}

void StoreFollower::start() {
  watch_.reset();
  revision_.reset();
  start_after_.clear();
  events_.on_restart();
  read_page();
}

void StoreFollower::restart_later() { timer_->arm(kRestartDelay); }

void StoreFollower::read_page() {
  store_.list({.prefix = prefix_, .limit = kFollowerPageSize, .start_after = start_after_, .at_revision = revision_},
              [this](const Result<store::ListReply>& reply) { on_page(reply); });
}

void StoreFollower::on_page(const Result<store::ListReply>& reply) {
  if (!reply) return restart_later();
  revision_ = reply->store_revision;
  for (const store::Entry& entry : reply->entries) {
    start_after_ = entry.key;
    events_.on_object(entry.key, entry.value, nullptr);
  }
  if (reply->has_more) return read_page();
  events_.on_synced();
  watch_ = store_.watch(prefix_, *revision_,
                        {[this](const std::vector<store::Change>& changes) {
                           for (const store::Change& change : changes)
                             events_.on_object(change.key, change.value, change.previous);
                         },
                         {},
                         [this](const Error&) { restart_later(); }});
}

}  // namespace margay::server
