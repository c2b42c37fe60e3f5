#include "agent/bgp/bgp_worker.h"

#include <utility>

#include "bgp/handoff/route_batches.h"

namespace margay::agent {
namespace {

Error not_running() { return Error{ErrorCode::kUnavailable, "BGP is not running yet"}; }

}  // namespace

BgpWorker::BgpWorker(BgpWorkerParts parts) : parts_(std::move(parts)) {}
BgpWorker::~BgpWorker() = default;

void BgpWorker::apply(SpeakerUpdate update) {
  const bool was_running = speaker_.has_value();
  const bool is_gate_turned = update.gate && update.gate->is_open != gate_.is_open;
  if (update.gate) gate_ = *update.gate;
  if (update.not_for_kernel) {
    not_for_kernel_.clear();
    for (const IpPrefix& prefix : *update.not_for_kernel) not_for_kernel_.insert(prefix, true);
  }
  // Peers without settings would be a configuration without an AS number: settings are the first that is said.
  if (config_ || update.settings) {
    if (!config_) config_.emplace();
    update.apply_to(*config_);
  }
  if (update.settings || !update.peers.empty() || !was_running) {
    configure();
  } else if (update.local_routes || is_gate_turned) {
    speaker_->set_local_routes(told_routes());
  }
  if (was_running && (update.tell_again || update.not_for_kernel)) speaker_->tell_routes_again();
}

void BgpWorker::configure() {
  if (!config_) return;
  if (!speaker_) {
    if (!gate_.is_open) return;
    speaker_.emplace(bgp::SpeakerParts{parts_.loop, parts_.random, parts_.transport, *this, parts_.log, parts_.metrics,
                                       parts_.liveness},
                     gate_.is_restarting);
    parts_.log.info("BGP begins", {{"peers", config_->peers.size()}, {"restarting", gate_.is_restarting}});
  }
  bgp::SpeakerConfig config = *config_;
  config.local_routes = told_routes();
  const Status status = speaker_->apply(std::move(config));
  refused_ = status.ok() ? std::string() : status.error().message;
  if (!status.ok()) parts_.log.error("BGP configuration refused", {{"error", status.error()}});
}

std::vector<bgp::rib::LocalRoute> BgpWorker::told_routes() const {
  if (!gate_.is_open || !config_) return {};
  return config_->local_routes;
}

bool BgpWorker::is_for_kernel(const IpPrefix& prefix) const { return !not_for_kernel_.longest_match(prefix); }

void BgpWorker::apply(std::vector<bgp::rib::RouteChange> changes) {
  if (!not_for_kernel_.empty()) {
    for (bgp::rib::RouteChange& change : changes) {
      if (change.route && !is_for_kernel(change.prefix)) change.route.reset();
    }
  }
  route::RouteBatch batch;
  bgp::add_changes(changes, batch);
  if (!batch.empty()) parts_.on_routes(std::move(batch));
}

void BgpWorker::converged() {
  route::RouteBatch batch;
  batch.converge();
  parts_.on_routes(std::move(batch));
}

BgpSnapshot BgpWorker::snapshot(const bgp::SnapshotQuery& query) const {
  BgpSnapshot out;
  out.is_running = speaker_.has_value();
  out.is_gate_open = gate_.is_open;
  out.refused = refused_;
  if (speaker_) out.speaker = speaker_->snapshot(query);
  return out;
}

Result<std::uint64_t> BgpWorker::open_routes(const bgp::SnapshotQuery& query) {
  if (!speaker_) return not_running();
  MARGAY_ASSIGN_OR_RETURN(auto cursor, speaker_->routes(query));
  const std::uint64_t number = next_reading_++;
  readings_.emplace(number, std::move(cursor));
  return number;
}

RoutesRead BgpWorker::read_routes(std::uint64_t number) {
  RoutesRead out;
  const auto found = readings_.find(number);
  if (found == readings_.end()) return out;
  out.has_more = found->second->next(out.routes);
  if (!out.has_more) readings_.erase(found);
  return out;
}

void BgpWorker::close_routes(std::uint64_t number) { readings_.erase(number); }

void BgpWorker::update_metrics() {
  if (speaker_) speaker_->update_metrics();
}

Status BgpWorker::reset(const IpAddress& peer, std::string_view text) {
  return speaker_ ? speaker_->reset(peer, text) : Status(not_running());
}

void BgpWorker::stop(std::string_view text, Task done) {
  if (speaker_) return speaker_->stop(text, std::move(done));
  parts_.loop.post(std::move(done));
}

}  // namespace margay::agent
