#include "cni/ipam/held_block.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/core/text.h"
#include "cni/ipam/names.h"

namespace margay::ipam {

Duration backoff(int failures) {
  constexpr Duration kFirst = std::chrono::milliseconds(50), kLast = std::chrono::seconds(5);
  return std::min<Duration>(kFirst * (1 << std::clamp(failures - 1, 0, 10)), kLast);
}

HeldBlock::HeldBlock(const BlockRules& rules, model::IpamBlock stored)
    : rules_(rules),
      cidr_(stored.spec.cidr),
      stored_(std::move(stored)),
      working_(stored_.spec),
      is_known_(true),
      must_read_(false) {}

HeldBlock::HeldBlock(const BlockRules& rules, const IpPrefix& cidr)
    : rules_(rules), cidr_(cidr), is_known_(false), must_read_(true) {
  stored_.metadata.name = block_name(cidr);
  stored_.spec.cidr = cidr;
}

std::size_t HeldBlock::room() const {
  if (!is_known_ || (rules_.strict_affinity && !is_affine())) return 0;
  return count_free(working_, rules_.reserved);
}

std::int32_t HeldBlock::count_of(const std::string& handle) const {
  return is_known_ ? static_cast<std::int32_t>(addresses_of(working_, handle).size()) : 0;
}

bool HeldBlock::concerns(const std::string& handle) const {
  const auto is_its = [&handle](const Wish& wish) { return wish.holder.handle == handle; };
  return count_of(handle) > 0 || std::any_of(in_flight_.begin(), in_flight_.end(), is_its) ||
         std::any_of(queue_.begin(), queue_.end(), is_its);
}

std::optional<Error> HeldBlock::apply(Wish& wish, Moment now) {
  if (wish.kind == Wish::Kind::kRelease) {
    if (!wish.ordinal) {
      (void)release_handle(working_, wish.holder.handle, std::nullopt, release_rules(now));
    } else if (const std::string* holder = holder_of(working_, *wish.ordinal);
               holder && *holder == wish.holder.handle) {
      (void)release(working_, {{address_at(working_, *wish.ordinal)}}, release_rules(now));
    }
    return std::nullopt;
  }
  if (rules_.strict_affinity && !is_affine()) {
    return Error{ErrorCode::kLimitExceeded, concat(cidr_.to_string(), " belongs to another, and affinity is strict")};
  }
  if (wish.ordinal) {
    const std::string *before = holder_of(stored_.spec, *wish.ordinal), *now_has = holder_of(working_, *wish.ordinal);
    // A write without answer was done after all. (Not: another wish of this handle has just taken the slot.)
    const bool is_done = before != nullptr && *before == wish.holder.handle;
    if (is_done && now_has != nullptr && *now_has == wish.holder.handle) return std::nullopt;
    const Status status = assign_one(working_, *wish.ordinal, wish.holder);
    if (status.ok()) return std::nullopt;
    if (wish.is_fixed) return status.error();
  }
  const std::vector<Ordinal> given = assign_any(working_, 1, wish.holder, rules_.reserved);
  if (given.empty()) return Error{ErrorCode::kLimitExceeded, concat(cidr_.to_string(), " is full")};
  wish.ordinal = given.front();
  return std::nullopt;
}

bool HeldBlock::add(Wish wish, Moment now) {
  if (is_known_ && !must_read_ && apply(wish, now)) return false;
  queue_.push_back(std::move(wish));
  return true;
}

void HeldBlock::cancel(RequestId request, Moment now) {
  std::vector<Wish> undo;
  const auto is_its = [request](const Wish& wish) {
    return wish.request == request && wish.kind == Wish::Kind::kAssign;
  };
  for (const Wish& wish : in_flight_) {
    if (is_its(wish)) undo.push_back(wish);
  }
  for (const Wish& wish : queue_) {
    if (is_its(wish) && wish.ordinal && is_known_) undo.push_back(wish);
  }
  for (Wish& wish : in_flight_) wish.request = is_its(wish) ? 0 : wish.request;
  queue_.erase(std::remove_if(queue_.begin(), queue_.end(), is_its), queue_.end());
  for (Wish& wish : undo) {
    wish.kind = Wish::Kind::kRelease;
    wish.request = 0;
    (void)add(std::move(wish), now);
  }
}

std::optional<Call> HeldBlock::next_call(Moment now) {
  if (is_calling_ || (retry_at_ && now.steady < *retry_at_)) return std::nullopt;
  if (must_read_) {
    if (queue_.empty() && is_known_ && !is_dirty_) return std::nullopt;
    is_calling_ = true;
    return Call{Verb::kGet, stored_};
  }
  if (queue_.empty() && !is_dirty_) return std::nullopt;
  is_calling_ = true;
  is_dirty_ = false;
  in_flight_ = std::exchange(queue_, {});
  (void)end_cooling(working_, release_rules(now));
  working_.sequence_number = stored_.spec.sequence_number + 1;
  model::IpamBlock next = stored_;
  next.spec = working_;
  return Call{Verb::kUpdate, std::move(next)};
}

void HeldBlock::back_off(Moment now) { retry_at_ = now.steady + backoff(++failures_); }

void HeldBlock::bounce_all(Settled& settled, const Error& error) {
  for (Wish& wish : queue_) {
    if (wish.kind == Wish::Kind::kRelease && error.code == ErrorCode::kNotFound) {
      settled.done.push_back(std::move(wish));
    } else {
      settled.bounced.push_back({std::move(wish), error});
    }
  }
  queue_.clear();
}

Settled HeldBlock::on_answer(Answer answer, Moment now) {
  Settled settled;
  const bool was_read = must_read_;
  is_calling_ = false;
  retry_at_.reset();
  if (answer.ok()) {
    failures_ = 0;
    stored_ = std::get<model::IpamBlock>(std::move(answer).value());
    if (was_read) {
      after_read(settled, now);
    } else {
      settled.done = std::exchange(in_flight_, {});
    }
    return settled;
  }
  queue_.insert(queue_.begin(), std::make_move_iterator(in_flight_.begin()), std::make_move_iterator(in_flight_.end()));
  in_flight_.clear();
  must_read_ = true;
  const Error& error = answer.error();
  if (is_unknown(error)) {
    back_off(now);
  } else if (error.code == ErrorCode::kNotFound) {
    settled.is_gone = true;
    bounce_all(settled, error);
  } else if (error.code != ErrorCode::kConflict) {
    bounce_all(settled, error);
  }
  return settled;
}

void HeldBlock::after_read(Settled& settled, Moment now) {
  const Status sound = check_block(stored_.spec);
  if (!sound.ok() || stored_.spec.deleted) {
    settled.is_gone = stored_.spec.deleted;
    bounce_all(settled, stored_.spec.deleted ? Error{ErrorCode::kNotFound, "it is being deleted"} : sound.error());
    return;
  }
  must_read_ = false;
  is_known_ = true;
  is_dirty_ = false;
  working_ = stored_.spec;
  std::vector<Wish> kept;
  for (Wish& wish : queue_) {
    if (auto error = apply(wish, now)) {
      settled.bounced.push_back({std::move(wish), std::move(*error)});
    } else {
      kept.push_back(std::move(wish));
    }
  }
  queue_ = std::move(kept);
  if (working_ == stored_.spec) settled.done = std::exchange(queue_, {});
}

void HeldBlock::see(const model::IpamBlock& block) {
  if (!is_idle() || block.spec.sequence_number <= stored_.spec.sequence_number || !check_block(block.spec).ok()) return;
  stored_ = block;
  working_ = block.spec;
  is_known_ = true;
  must_read_ = false;
}

void HeldBlock::free_cooled(Moment now) {
  if (!is_known_ || must_read_) return;
  if (end_cooling(working_, release_rules(now)) > 0) is_dirty_ = true;
}

}  // namespace margay::ipam
