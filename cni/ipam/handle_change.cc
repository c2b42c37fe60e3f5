#include "cni/ipam/handle_change.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "cni/ipam/names.h"

namespace margay::ipam {
namespace {

bool has_any(const HandleCounts& counts) {
  return std::any_of(counts.begin(), counts.end(), [](const auto& each) { return each.second > 0; });
}

void set_counts(const HandleCounts& counts, model::IpamHandleSpec& spec) {
  for (const auto& [cidr, count] : counts) {
    if (count > 0) {
      spec.block[cidr.to_string()] = count;
    } else {
      spec.block.erase(cidr.to_string());
    }
  }
}

}  // namespace

HandleChange::HandleChange(std::string handle, HandleCounts counts, std::optional<model::IpamHandle> known)
    : name_(std::move(handle)), counts_(std::move(counts)), handle_(std::move(known)) {
  // A new handle is created without looking.
  is_known_ = handle_.has_value() || has_any(counts_);
}

std::optional<Call> HandleChange::end(Outcome outcome) {
  outcome_ = outcome;
  return std::nullopt;
}

std::optional<Call> HandleChange::start() { return write(); }

std::optional<Call> HandleChange::write() {
  model::IpamHandle next = handle_.value_or(model::IpamHandle{});
  next.metadata.name = handle_name(name_);
  next.spec.handle_id = name_;
  if (!is_known_) {
    verb_ = Verb::kGet;
    return Call{verb_, std::move(next)};
  }
  if (!next.spec.deleted) set_counts(counts_, next.spec);
  if (handle_ && next == *handle_ && !next.spec.block.empty()) return end(Outcome::kDone);
  if (next.spec.block.empty() || next.spec.deleted) {
    if (!handle_) return end(Outcome::kDone);
    verb_ = Verb::kDelete;
    return Call{verb_, *handle_};
  }
  verb_ = handle_ ? Verb::kUpdate : Verb::kCreate;
  return Call{verb_, std::move(next)};
}

std::optional<Call> HandleChange::step(Answer answer) {
  const bool is_race =
      !answer.ok() && (is_lost_race(answer.error()) || answer.error().code == ErrorCode::kAlreadyExists);
  if ((!answer.ok() && !is_race) || ++attempts_ > kAttemptsMax) {
    error_ = answer.ok() ? Error{ErrorCode::kConflict, "others kept changing it"} : answer.error();
    error_ = error_.within(concat("handle ", name_));
    return end(Outcome::kFailed);
  }
  if (verb_ == Verb::kGet) {
    is_known_ = true;
    handle_.reset();
    if (answer.ok()) handle_ = std::get<model::IpamHandle>(std::move(answer).value());
    return write();
  }
  if (is_race) {
    is_known_ = false;
    return write();
  }
  if (verb_ == Verb::kDelete) {
    const bool was_marked = handle_->spec.deleted;
    handle_.reset();
    // What had been marked as deleted had nothing; now there is room for the new one.
    return was_marked ? write() : end(Outcome::kDone);
  }
  handle_ = std::get<model::IpamHandle>(std::move(answer).value());
  return end(Outcome::kDone);
}

}  // namespace margay::ipam
