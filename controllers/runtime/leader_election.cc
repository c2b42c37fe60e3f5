#include "controllers/runtime/leader_election.h"

#include <optional>
#include <utility>

#include "base/json/value.h"
#include "datastore/codec/codec.h"
#include "datastore/codec/decoded.h"
#include "datastore/watch/resource_of.h"

namespace margay::controllers {
namespace {

constexpr int kNotFound = 404;

const kube::ResourceType& lease_type() {
  static const kube::ResourceType type = watch::resource_of(model::Kind::kLease);
  return type;
}

}  // namespace

LeaderElection::LeaderElection(Parts parts, kube::ObjectName lease, LeaseConfig config, Events events)
    : parts_(std::move(parts)),
      name_(std::move(lease)),
      events_(std::move(events)),
      machine_(std::move(config)),
      timer_(parts_.loop.make_timer([this] { step(LeaseTick{}); })),
      deadline_(parts_.loop.make_timer([this] { step(LeaseDeadline{}); })) {}

LeaderElection::~LeaderElection() = default;

void LeaderElection::stop(std::function<void()> done) {
  operation_.reset();
  timer_->disarm();
  deadline_->disarm();
  stopped_ = std::move(done);
  step(LeaseStop{});
  if (operation_ == nullptr && stopped_) parts_.loop.post(std::exchange(stopped_, nullptr));
}

void LeaderElection::step(const LeaseInput& input) {
  for (const LeaseOutput& output : machine_.step(input, parts_.loop.now(), parts_.loop.wall_now())) {
    std::visit([this](const auto& what) { perform(what); }, output);
  }
}

void LeaderElection::perform(const ReadLease&) {
  operation_ = parts_.client.get(lease_type(), name_,
                                 [this](kube::ApiResult<json::Value> answer) { on_answer(std::move(answer), false); });
}

void LeaderElection::perform(const WriteLease& write) {
  json::Value object;
  model::Lease lease = write.lease;
  lease.metadata.name = name_.name;
  lease.metadata.name_space = name_.name_space;
  codec::encode(lease, object);
  auto done = [this](kube::ApiResult<json::Value> answer) { on_answer(std::move(answer), true); };
  operation_ = lease.metadata.resource_version.empty()
                   ? parts_.client.create(lease_type(), name_.name_space, object, {}, std::move(done))
                   : parts_.client.update(lease_type(), name_, object, {}, std::move(done));
}

void LeaderElection::on_answer(kube::ApiResult<json::Value> answer, bool was_write) {
  const kube::OperationPtr done = std::move(operation_);
  if (stopped_) return std::exchange(stopped_, nullptr)();
  if (answer.ok()) {
    auto lease = codec::decoded<model::Lease>(*answer);
    if (!lease.ok()) {
      parts_.log.warn("the Lease cannot be read", {{"lease", name_.name}});
      return step(LeaseReadFailed{});
    }
    if (!was_write) return step(LeaseRead{std::move(lease).value()});
    step(LeaseWritten{std::move(lease).value()});
    return deadline_->arm(machine_.leading_until() - parts_.loop.now());
  }
  const kube::ApiError& error = answer.error();
  if (!was_write && error.http_status == kNotFound) return step(LeaseRead{std::nullopt});
  parts_.log.debug("lease", {{"error", error.message}, {"write", was_write}});
  if (!was_write) return step(LeaseReadFailed{});
  const bool was_refused = error.code == ErrorCode::kConflict || error.code == ErrorCode::kAlreadyExists ||
                           error.code == ErrorCode::kNotFound;
  step(LeaseWriteFailed{was_refused});
}

void LeaderElection::perform(const BecomeLeader&) {
  parts_.log.info("leading");
  events_.on_elected();
}

void LeaderElection::perform(const LoseLeadership&) {
  parts_.log.warn("no longer leading");
  events_.on_lost();
}

}  // namespace margay::controllers
