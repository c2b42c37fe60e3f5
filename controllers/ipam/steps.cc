#include "controllers/ipam/steps.h"

#include <utility>

#include "base/core/text.h"
#include "cni/ipam/names.h"

namespace margay::controllers {
namespace {

using ipam::Answer;
using ipam::Call;
using ipam::Verb;

constexpr int kRacesMax = 5;

model::IpamBlock block_named(const IpPrefix& cidr) {
  model::IpamBlock out;
  out.metadata.name = ipam::block_name(cidr);
  out.spec.cidr = cidr;
  return out;
}

bool is_missing(const Answer& answer) { return !answer.ok() && answer.error().code == ErrorCode::kNotFound; }

bool may_go(const ipam::Object& object) {
  if (const auto* block = std::get_if<model::IpamBlock>(&object)) {
    if (block->spec.deleted) return true;
    return !block->spec.affinity && ipam::check_block(block->spec).ok() && ipam::is_empty(block->spec);
  }
  if (const auto* affinity = std::get_if<model::BlockAffinity>(&object)) return affinity->spec.deleted;
  return std::get<model::IpamHandle>(object).spec.deleted;
}

}  // namespace

Call BlockCleaning::start() { return {Verb::kGet, block_named(request_.cidr)}; }

std::optional<Call> BlockCleaning::end(StepOutcome outcome) {
  outcome_ = outcome;
  return std::nullopt;
}

std::optional<Call> BlockCleaning::fail(const Error& error) {
  error_ = error.within(concat("block ", request_.cidr.to_string()));
  released_.clear();
  return end(StepOutcome::kFailed);
}

std::optional<Call> BlockCleaning::step(const Answer& answer) {
  if (is_reading_) return on_read(answer);
  if (answer.ok()) return end(StepOutcome::kDone);
  if (!ipam::is_lost_race(answer.error()) || ++attempts_ >= kRacesMax) return fail(answer.error());
  is_reading_ = true;
  return start();
}

std::optional<Call> BlockCleaning::on_read(const Answer& answer) {
  if (is_missing(answer)) return end(StepOutcome::kNothing);
  if (!answer.ok()) return fail(answer.error());
  auto block = std::get<model::IpamBlock>(answer.value());
  if (block.spec.deleted) return end(StepOutcome::kNothing);
  if (const Status sound = ipam::check_block(block.spec); !sound.ok()) return fail(sound.error());
  released_.clear();
  const ipam::ReleaseRules rules{request_.cooldown, request_.now};
  // One by one: an address that was given again does not keep the others.
  for (const ipam::ReleaseWish& wish : request_.wishes) {
    const auto done = ipam::release(block.spec, {wish}, rules);
    if (done.ok() && !done->by_handle.empty()) released_.push_back(wish.address);
  }
  const bool has_cooled = ipam::end_cooling(block.spec, rules) > 0;
  if (released_.empty() && !has_cooled) return end(StepOutcome::kNothing);
  ++block.spec.sequence_number;
  is_reading_ = false;
  return Call{Verb::kUpdate, std::move(block)};
}

Call HandleRepair::start() {
  model::IpamHandle handle;
  handle.metadata.name = ipam::handle_name(request_.handle);
  return {Verb::kGet, std::move(handle)};
}

std::optional<Call> HandleRepair::end(StepOutcome outcome) {
  outcome_ = outcome;
  return std::nullopt;
}

std::optional<Call> HandleRepair::step(const Answer& answer) {
  const bool is_known =
      answer.ok() || ipam::is_lost_race(answer.error()) || answer.error().code == ErrorCode::kAlreadyExists;
  if (!is_known) {
    error_ = answer.error().within(concat("handle ", request_.handle));
    return end(StepOutcome::kFailed);
  }
  switch (state_) {
    case State::kReadHandle: return on_handle(answer);
    case State::kReadBlocks: return on_block(answer);
    case State::kWrite: break;
  }
  // Who changed it since looks after it.
  return end(answer.ok() ? StepOutcome::kDone : StepOutcome::kNothing);
}

std::optional<Call> HandleRepair::on_handle(const Answer& answer) {
  if (answer.ok()) handle_ = std::get<model::IpamHandle>(answer.value());
  const std::string version = handle_ ? handle_->metadata.resource_version : std::string();
  if (request_.version && *request_.version != version) return end(StepOutcome::kNothing);
  left_ = request_.blocks;
  if (handle_) {
    for (const auto& [text, count] : handle_->spec.block) {
      const auto cidr = IpPrefix::parse(text);
      if (cidr.ok()) left_.insert(cidr.value());
    }
  }
  state_ = State::kReadBlocks;
  return read_next();
}

std::optional<Call> HandleRepair::read_next() {
  if (left_.empty()) return write();
  return Call{Verb::kGet, block_named(*left_.begin())};
}

std::optional<Call> HandleRepair::on_block(const Answer& answer) {
  const IpPrefix cidr = *left_.begin();
  left_.erase(left_.begin());
  if (answer.ok()) {
    const model::IpamBlockSpec& spec = std::get<model::IpamBlock>(answer.value()).spec;
    if (!spec.deleted) {
      if (const Status sound = ipam::check_block(spec); !sound.ok()) {
        error_ = sound.error();
        return end(StepOutcome::kFailed);
      }
      const auto count = static_cast<std::int32_t>(ipam::addresses_of(spec, request_.handle).size());
      if (count > 0) counts_[cidr] = count;
    }
  }
  return read_next();
}

std::optional<Call> HandleRepair::write() {
  state_ = State::kWrite;
  if (!handle_ && counts_.empty()) return end(StepOutcome::kNothing);
  if (handle_ && (counts_.empty() || handle_->spec.deleted)) return Call{Verb::kDelete, *handle_};
  model::IpamHandle next = handle_.value_or(model::IpamHandle{});
  next.metadata.name = ipam::handle_name(request_.handle);
  if (next.spec.handle_id.empty()) next.spec.handle_id = request_.handle;
  next.spec.block.clear();
  for (const auto& [cidr, count] : counts_) next.spec.block[cidr.to_string()] = count;
  if (handle_ && handle_->spec == next.spec) return end(StepOutcome::kNothing);
  return Call{handle_ ? Verb::kUpdate : Verb::kCreate, std::move(next)};
}

std::optional<Call> Removal::step(const Answer& answer) {
  if (!answer.ok()) {
    const bool is_over = ipam::is_lost_race(answer.error());
    error_ = answer.error();
    outcome_ = is_over ? StepOutcome::kNothing : StepOutcome::kFailed;
    return std::nullopt;
  }
  if (std::exchange(is_reading_, false)) {
    if (may_go(answer.value())) return Call{Verb::kDelete, answer.value()};
    outcome_ = StepOutcome::kNothing;
    return std::nullopt;
  }
  outcome_ = StepOutcome::kDone;
  return std::nullopt;
}

}  // namespace margay::controllers
