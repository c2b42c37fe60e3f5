#include "controllers/ipam/job.h"

#include <algorithm>

#include "base/core/text.h"

namespace margay::controllers {
namespace {

using OwnedBy = ipam::AddressOwner::Kind;

template <class Map>
const typename Map::mapped_type::value_type* known(const Map& map, const typename Map::key_type& key) {
  const auto found = map.find(key);
  return found == map.end() || !found->second ? nullptr : &*found->second;
}

template <class T>
std::optional<T> taken(Told& told) {
  if (!told.ok()) return std::nullopt;
  if (auto* value = std::get_if<T>(&*told)) return std::move(*value);
  return std::nullopt;
}

}  // namespace

LeakRelease::LeakRelease(std::vector<Leak> leaks, Duration cooldown, WallTime now)
    : leaks_(std::move(leaks)), cooldown_(cooldown), now_(now) {
  for (const Leak& leak : leaks_) {
    for (const LeakedSlot& slot : leak.slots) {
      if (slot.owner.kind == OwnedBy::kPod) pods_to_ask_.emplace(slot.owner.name_space, slot.owner.pod);
      const bool needs_node = slot.owner.kind == OwnedBy::kTunnel || leak.node_must_be_gone;
      if (needs_node) nodes_to_ask_.insert(slot.owner.node);
    }
  }
}

std::optional<Ask> LeakRelease::next() {
  if (auto question = next_question()) return question;
  if (!std::exchange(is_judged_, true)) judge();
  if (auto call = next_block()) return call;
  if (auto call = next_handle()) return call;
  return end(released_.empty() ? StepOutcome::kNothing : StepOutcome::kDone);
}

std::optional<Ask> LeakRelease::next_question() {
  if (!pods_to_ask_.empty()) return ReadPod{pods_to_ask_.begin()->first, pods_to_ask_.begin()->second};
  if (!nodes_to_ask_.empty()) return ReadNode{*nodes_to_ask_.begin()};
  return std::nullopt;
}

std::optional<Ask> LeakRelease::next_block() {
  if (wishes_.empty()) return std::nullopt;
  auto first = wishes_.extract(wishes_.begin());
  block_.emplace(BlockCleaning::Request{first.key(), std::move(first.mapped()), cooldown_, now_});
  return block_->start();
}

std::optional<Ask> LeakRelease::next_handle() {
  if (handles_.empty()) return std::nullopt;
  auto first = handles_.extract(handles_.begin());
  handle_.emplace(HandleRepair::Request{first.key(), std::move(first.mapped()), std::nullopt});
  return handle_->start();
}

// False: it is not known.
bool LeakRelease::learn(Told told) {
  const bool is_there = told.ok();
  if (!is_there && !is_absent(told)) return false;
  if (!pods_to_ask_.empty()) {
    auto pod = taken<model::Pod>(told);
    if (pod.has_value() != is_there) return false;
    pods_[pods_to_ask_.extract(pods_to_ask_.begin()).value()] = std::move(pod);
  } else {
    auto node = taken<model::Node>(told);
    if (node.has_value() != is_there) return false;
    nodes_[nodes_to_ask_.extract(nodes_to_ask_.begin()).value()] = std::move(node);
  }
  return true;
}

std::optional<Ask> LeakRelease::step(Told told) {
  if (!is_judged_) {
    const Error error = told.ok() ? Error{ErrorCode::kInternal, "an answer to another question"} : told.error();
    return learn(std::move(told)) ? next() : end(StepOutcome::kFailed, error);
  }
  if (block_) {
    if (auto call = block_->step(to_answer(std::move(told)))) return std::move(*call);
    if (block_->outcome() == StepOutcome::kFailed) return end(StepOutcome::kFailed, block_->error());
    released_.insert(released_.end(), block_->released().begin(), block_->released().end());
    block_.reset();
    return next();
  }
  if (auto call = handle_->step(to_answer(std::move(told)))) return std::move(*call);
  // The addresses are free; what the handle says is looked at again by itself.
  handle_.reset();
  return next();
}

void LeakRelease::judge() {
  for (const Leak& leak : leaks_) {
    const bool is_used = std::any_of(leak.slots.begin(), leak.slots.end(), [&](const LeakedSlot& slot) {
      const model::Node* node = known(nodes_, slot.owner.node);
      if (leak.node_must_be_gone && node != nullptr) return true;
      if (slot.owner.kind == OwnedBy::kTunnel) return ipam::uses(node, slot.owner, slot.address);
      return ipam::uses(known(pods_, {slot.owner.name_space, slot.owner.pod}), slot.owner, slot.address);
    });
    if (is_used) continue;
    for (const LeakedSlot& slot : leak.slots) {
      wishes_[slot.block].push_back({slot.address, slot.handle, slot.sequence});
      if (!slot.handle.empty()) handles_[slot.handle].insert(slot.block);
    }
  }
}

OwnerRemoval::OwnerRemoval(model::BlockOwner owner, const IpPrefix& cidr, bool is_gone)
    : owner_(std::move(owner)), must_ask_(is_gone), return_({owner_, cidr, /*must_be_empty=*/!is_gone}) {}

std::optional<Ask> OwnerRemoval::start() {
  is_asking_ = must_ask_;
  if (is_asking_) return ReadNode{owner_.name};
  return return_.start();
}

std::optional<Ask> OwnerRemoval::step(Told told) {
  if (std::exchange(is_asking_, false)) {
    if (told.ok()) return end(StepOutcome::kNothing);
    if (!is_absent(told)) return end(StepOutcome::kFailed, told.error());
    return return_.start();
  }
  if (auto call = return_.step(to_answer(std::move(told)))) return std::move(*call);
  switch (return_.outcome()) {
    case ipam::BlockReturn::Outcome::kReturned: return end(StepOutcome::kDone);
    case ipam::BlockReturn::Outcome::kKept: return end(StepOutcome::kNothing);
    case ipam::BlockReturn::Outcome::kOpen:
    case ipam::BlockReturn::Outcome::kFailed: break;
  }
  return end(StepOutcome::kFailed, return_.error());
}

}  // namespace margay::controllers
