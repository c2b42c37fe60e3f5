#include "controllers/runtime/lease_machine.h"

#include <algorithm>
#include <utility>

namespace margay::controllers {

std::vector<LeaseOutput> LeaseMachine::step(const LeaseInput& input, TimePoint now, WallTime wall_now) {
  now_ = now;
  wall_now_ = wall_now;
  Outputs out;
  check_deadline(out);
  std::visit([&](const auto& what) { on(what, out); }, input);
  return out;
}

void LeaseMachine::on(const LeaseTick&, Outputs& out) {
  if (is_stopped_) return;
  // A leader knows the version that it wrote; if somebody changed it since, the write is refused and it reads again.
  if (is_leading_ && lease_) return write(&*lease_, out);
  out.push_back(ReadLease{});
}

void LeaseMachine::on(const LeaseRead& read, Outputs& out) {
  if (is_stopped_) return;
  if (!read.lease) {
    seen_holder_.clear();
    lease_.reset();
    lose(out);
    return write(nullptr, out);
  }
  note(*read.lease);
  if (seen_holder_ != config_.identity) lose(out);
  if (may_take(*read.lease)) return write(&*read.lease, out);
  out.push_back(WaitForLease{config_.retry_period});
}

void LeaseMachine::on(const LeaseReadFailed&, Outputs& out) {
  if (!is_stopped_) out.push_back(WaitForLease{config_.retry_period});
}

void LeaseMachine::on(const LeaseWritten& written, Outputs& out) {
  if (is_stopped_) return;
  note(written.lease);
  renewed_at_ = asked_at_;
  // An answer that took longer than the deadline is none: somebody may be about to take it.
  if (now_ >= leading_until()) {
    lose(out);
  } else if (!std::exchange(is_leading_, true)) {
    out.push_back(BecomeLeader{});
  }
  out.push_back(WaitForLease{config_.retry_period});
}

void LeaseMachine::on(const LeaseWriteFailed& failed, Outputs& out) {
  if (is_stopped_) return;
  if (failed.was_refused) lose(out);
  // It may have happened: what stands there now says it.
  if (!failed.was_refused && !is_leading_) {
    out.push_back(WaitForLease{config_.retry_period});
  } else {
    out.push_back(ReadLease{});
  }
}

// The next one need not wait.
void LeaseMachine::on(const LeaseStop&, Outputs& out) {
  const bool was_leading = is_leading_;
  lose(out);
  is_stopped_ = true;
  if (!was_leading || !lease_) return;
  model::Lease released = *lease_;
  released.spec.holder_identity.clear();
  released.spec.lease_duration_seconds = 1;
  released.spec.renew_time = model::MicroTime{wall_now_};
  out.push_back(WriteLease{std::move(released)});
}

void LeaseMachine::note(const model::Lease& lease) {
  const bool is_same = lease_ && lease_->metadata.resource_version == lease.metadata.resource_version &&
                       lease_->metadata.uid == lease.metadata.uid;
  if (!is_same) seen_at_ = now_;
  lease_ = lease;
  seen_holder_ = lease.spec.holder_identity;
}

bool LeaseMachine::may_take(const model::Lease& lease) const {
  if (lease.spec.holder_identity.empty() || lease.spec.holder_identity == config_.identity) return true;
  const Duration theirs = std::chrono::seconds(lease.spec.lease_duration_seconds.value_or(0));
  return now_ - seen_at_ >= std::max(theirs, config_.duration);
}

model::Lease LeaseMachine::claim(const model::Lease* before) const {
  model::Lease lease = before == nullptr ? model::Lease{} : *before;
  model::LeaseSpec& spec = lease.spec;
  if (spec.holder_identity != config_.identity) {
    spec.lease_transitions = before == nullptr ? 0 : spec.lease_transitions.value_or(0) + 1;
    spec.acquire_time = model::MicroTime{wall_now_};
    spec.holder_identity = config_.identity;
  }
  spec.lease_duration_seconds =
      static_cast<std::int32_t>(std::chrono::duration_cast<std::chrono::seconds>(config_.duration).count());
  spec.renew_time = model::MicroTime{wall_now_};
  return lease;
}

void LeaseMachine::write(const model::Lease* before, Outputs& out) {
  asked_at_ = now_;
  out.push_back(WriteLease{claim(before)});
}

void LeaseMachine::lose(Outputs& out) {
  if (std::exchange(is_leading_, false)) out.push_back(LoseLeadership{});
}

void LeaseMachine::check_deadline(Outputs& out) {
  if (is_leading_ && now_ >= leading_until()) lose(out);
}

}  // namespace margay::controllers
