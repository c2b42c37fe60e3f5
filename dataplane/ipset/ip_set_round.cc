#include "dataplane/ipset/ip_set_round.h"

#include <linux/netfilter/ipset/ip_set.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

#include "base/core/text.h"

namespace margay::ipset {

namespace {

// What making, swapping and destroying a set costs, in members written.
constexpr std::size_t kSwapCost = 512;

std::string to_string(const Member& member) {
  std::string out = member.net.to_string();
  if (member.protocol != 0) out += concat(",", member.protocol, ":", member.port);
  return out;
}

// One that outgrows what is usual gets room to grow further.
std::uint32_t room_for(std::size_t members, std::uint32_t usual) {
  if (members <= usual) return usual;
  return static_cast<std::uint32_t>(std::bit_ceil(std::min<std::size_t>(members, 1U << 31)));
}

}  // namespace

IpSetDriver::Round::Plan IpSetDriver::Round::plan_for(Sets::iterator at) {
  const Set& set = at->second;
  const std::size_t wanted = set.members.desired().size();
  Plan plan{.at = at, .target = at->first, .member_max = room_for(wanted, driver_.config_.member_max)};
  plan.is_other_type = set.actual && set.actual->header.spec != set.spec;
  plan.is_new = !set.actual || plan.is_other_type;
  if (plan.is_new) return plan;
  const std::size_t missing = set.members.missing().size();
  const SetHeader& header = set.actual->header;
  const bool is_too_small = header.member_max < set.members.actual_count() + missing;
  const bool is_cheaper = missing + set.members.extra().size() > wanted + kSwapCost;
  plan.is_swap = !header.is_plain || is_too_small || is_cheaper;
  if (!plan.is_swap) return plan;
  plan.is_new = true;
  plan.target = temporary_name(at->first);
  return plan;
}

std::string IpSetDriver::Round::temporary_name(const std::string& name) {
  const std::string_view prefix = driver_.prefix_of(name);
  while (true) {
    std::string out = concat(prefix, '~', driver_.temporary_count_++);
    if (!driver_.sets_.contains(out)) return out;
  }
}

void IpSetDriver::Round::run() {
  for (const std::string& name : driver_.due_) plans_.push_back(plan_for(driver_.sets_.find(name)));
  find_revisions();
  if (go()) conclude();
}

bool IpSetDriver::Round::go() {
  const auto is_other = [](const Plan& plan) { return plan.is_other_type; };
  const auto is_new = [](const Plan& plan) { return plan.is_new; };
  const auto is_swap = [](const Plan& plan) { return plan.is_swap; };
  return ask_each(is_other, &Round::add_destroy, &Round::on_destroyed) &&
         ask_each(is_new, &Round::add_create, &Round::on_created) && write_members(MemberChange::kAdd) &&
         ask_each(is_swap, &Round::add_swap, &Round::on_swapped) && write_members(MemberChange::kDelete);
}

void IpSetDriver::Round::find_revisions() {
  for (Plan& plan : plans_) {
    if (!plan.is_new) continue;
    const auto revision = driver_.messages_.revision(driver_.kernel_, plan.at->second.spec);
    if (!revision.ok()) end(plan, revision.error());
  }
}

bool IpSetDriver::Round::ask_each(Picks picks, Add add, OnAnswer on_answer) {
  netlink::Batch batch;
  std::vector<Plan*> asked;
  for (Plan& plan : plans_) {
    if (plan.is_over || !picks(plan)) continue;
    (this->*add)(batch, plan);
    asked.push_back(&plan);
  }
  if (asked.empty()) return true;
  const netlink::BatchReport sent = driver_.kernel_.apply(batch);
  if (transport_failed(sent.transport)) return false;
  std::vector<const netlink::Failure*> answers(asked.size(), nullptr);
  for (const netlink::Failure& failure : sent.failures) answers[failure.index] = &failure;
  for (std::size_t i = 0; i < asked.size(); ++i) (this->*on_answer)(*asked[i], answers[i]);
  return true;
}

bool IpSetDriver::Round::transport_failed(const Status& status) {
  if (status.ok()) return false;
  driver_.needs_resync_ = true;
  driver_.fail(report_, "sets", status.error());
  return true;
}

void IpSetDriver::Round::end(Plan& plan, Error error) {
  plan.is_over = true;
  plan.error = std::move(error);
}

void IpSetDriver::Round::note_stale(Plan& plan, Error error) {
  driver_.needs_resync_ = true;
  end(plan, std::move(error));
}

void IpSetDriver::Round::add_destroy(netlink::Batch& batch, const Plan& plan) {
  driver_.messages_.add_destroy(batch, plan.target);
}

void IpSetDriver::Round::on_destroyed(Plan& plan, const netlink::Failure* failure) {
  Set& set = plan.at->second;
  if (failure != nullptr && failure->error != ENOENT) {
    return end(plan, error_of(*failure).within("it has another type and cannot be replaced"));
  }
  set.actual.reset();
  set.members.clear_actual();
}

void IpSetDriver::Round::add_create(netlink::Batch& batch, const Plan& plan) {
  const Set& set = plan.at->second;
  const auto revision = driver_.messages_.revision(driver_.kernel_, set.spec);
  driver_.messages_.add_create(batch, plan.target,
                               {set.spec, revision.value_or(0), plan.member_max, set.members.desired().size()});
}

void IpSetDriver::Round::on_created(Plan& plan, const netlink::Failure* failure) {
  if (failure != nullptr && failure->error == EEXIST) return note_stale(plan, error_of(*failure));
  if (failure != nullptr) return end(plan, error_of(*failure));
  Set& target = driver_.sets_[plan.target];
  target.actual = Actual{SetHeader{.spec = plan.at->second.spec, .member_max = plan.member_max}, true};
  target.members.clear_actual();
  if (!plan.is_swap) return;
  driver_.made_.insert(plan.target);
  driver_.note(plan.target);
}

bool IpSetDriver::Round::write_members(MemberChange change) {
  const bool is_adding = change == MemberChange::kAdd;
  MemberWriter writer(driver_.kernel_, driver_.messages_, change);
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const Plan& plan = plans_[i];
    const Set& set = plan.at->second;
    if (plan.is_over || (plan.is_new && !is_adding)) continue;
    const Members& added = plan.is_new ? set.members.desired() : set.members.missing();
    if (transport_failed(writer.write(i, plan.target, set.spec, is_adding ? added : set.members.extra()))) return false;
  }
  const auto refusals = writer.finish();
  if (!refusals.ok()) return !transport_failed(refusals.error());
  count_refusals(refusals.value());
  for (Plan& plan : plans_) {
    if (plan.is_over || (plan.is_new && !is_adding)) continue;
    MemberDelta& members = plan.at->second.members;
    // What a temporary set has counts once it is swapped in.
    if (!is_adding)
      members.deleted_all_but(plan.refused);
    else if (!plan.is_swap)
      members.added_all_but(plan.refused);
    if (!plan.is_swap) plan.refused.clear();
  }
  return true;
}

void IpSetDriver::Round::count_refusals(const std::vector<MemberWriter::Refusal>& refusals) {
  for (const MemberWriter::Refusal& refusal : refusals) {
    Plan& plan = plans_[refusal.owner];
    if (!refusal.member) {
      note_stale(plan, refusal.error);
      continue;
    }
    plan.refused.push_back(*refusal.member);
    if (!plan.error) plan.error = refusal.error.within(concat("member ", to_string(*refusal.member)));
  }
}

void IpSetDriver::Round::add_swap(netlink::Batch& batch, const Plan& plan) {
  driver_.messages_.add_swap(batch, plan.target, plan.at->first);
}

void IpSetDriver::Round::on_swapped(Plan& plan, const netlink::Failure* failure) {
  if (failure != nullptr) {
    const bool is_busy = failure->error == IPSET_ERR_BUSY;
    return is_busy ? end(plan, error_of(*failure)) : note_stale(plan, error_of(*failure));
  }
  Set& set = plan.at->second;
  Set& old = driver_.sets_[plan.target];
  std::swap(set.actual, old.actual);
  old.actual->is_read = false;
  set.members.clear_actual();
  set.members.added_all_but(plan.refused);
}

void IpSetDriver::Round::conclude() {
  for (Plan& plan : plans_) {
    driver_.note(plan.at->first);
    if (plan.error) {
      driver_.fail(report_, plan.at->first, std::move(*plan.error));
    } else {
      ++report_.updated;
    }
  }
}

}  // namespace margay::ipset
