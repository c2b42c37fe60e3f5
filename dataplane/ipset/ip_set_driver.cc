#include "dataplane/ipset/ip_set_driver.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"
#include "dataplane/ipset/ip_set_round.h"

namespace margay::ipset {

namespace {

constexpr std::size_t kPrefixMax = 20;  // leaves room for '~' and a number
// Older kernels wait for all packets under way each time (tens of milliseconds); the caller has other work.
constexpr std::size_t kDestroysMax = 32;

bool is_suitable(const SetSpec& spec, const Member& member) {
  const bool is_net = spec.type == SetType::kHashNet || spec.type == SetType::kHashNetPort;
  return member.net.family() == spec.family && (is_net || member.net.is_host());
}

void check_suitable(const SetSpec& spec, const std::vector<Member>& members) {
  for (const Member& member : members) MARGAY_CHECK(is_suitable(spec, member));
}

}  // namespace

IpSetDriver::IpSetDriver(netlink::Netlink& kernel, IpSetDriverConfig config)
    : kernel_(kernel), config_(std::move(config)) {
  for (const std::string& prefix : config_.prefixes) MARGAY_CHECK(!prefix.empty() && prefix.size() < kPrefixMax);
}

std::string_view IpSetDriver::prefix_of(std::string_view name) const {
  for (const std::string& prefix : config_.prefixes) {
    if (name.starts_with(prefix)) return prefix;
  }
  return {};
}

// --- desired ---

void IpSetDriver::replace(const std::string& name, const SetSpec& spec, const std::vector<Member>& members) {
  MARGAY_CHECK(!prefix_of(name).empty() && name.size() < kSetNameMax);
  check_suitable(spec, members);
  Set& set = sets_[name];
  if (!set.is_desired || set.spec != spec) {
    // What is known of its members is in the terms of what it was.
    set.members = MemberDelta();
    if (set.actual) set.actual->is_read = false;
  }
  set.is_desired = true;
  set.spec = spec;
  set.members.replace(members);
  note(name);
}

void IpSetDriver::update(const std::string& name, const std::vector<Member>& added,
                         const std::vector<Member>& removed) {
  const auto at = sets_.find(name);
  MARGAY_CHECK(at != sets_.end() && at->second.is_desired);
  check_suitable(at->second.spec, added);
  for (const Member& member : removed) at->second.members.remove(member);
  for (const Member& member : added) at->second.members.add(member);
  note(name);
}

void IpSetDriver::remove(const std::string& name) {
  const auto at = sets_.find(name);
  if (at == sets_.end() || !at->second.is_desired) return;
  at->second.is_desired = false;
  at->second.members = MemberDelta();
  if (at->second.actual) at->second.actual->is_read = false;
  note(name);
}

bool IpSetDriver::is_due(const Set& set) {
  if (!set.actual || !set.actual->is_read || !set.actual->header.is_plain) return true;
  return set.actual->header.spec != set.spec || !set.members.is_in_sync();
}

void IpSetDriver::note(const std::string& name) {
  const auto at = sets_.find(name);
  const Set& set = at->second;
  const auto keep = [&name](std::set<std::string>& names, bool is_in) {
    if (is_in)
      names.insert(name);
    else
      names.erase(name);
  };
  keep(due_, set.is_desired && is_due(set));
  const bool is_doomed = !set.is_desired && set.actual.has_value();
  keep(doomed_, is_doomed);
  if (!is_doomed) made_.erase(name);
  if (set.is_desired || set.actual) return;
  failures_.erase(name);
  sets_.erase(at);
}

// --- actual ---

Status IpSetDriver::resync() {
  MARGAY_RETURN_IF_ERROR(messages_.negotiate(kernel_));
  std::map<std::string, SetHeader> found;
  MARGAY_RETURN_IF_ERROR(messages_.dump_headers(kernel_, found));
  std::erase_if(found, [this](const auto& entry) { return prefix_of(entry.first).empty(); });
  for (auto& [name, set] : sets_) {
    if (set.actual && !found.contains(name)) set.actual.reset();
  }
  for (auto& [name, header] : found) sets_[name].actual = Actual{header, false};
  std::vector<std::string> names;
  for (auto& [name, set] : sets_) {
    if (!set.actual) set.members.clear_actual();
    names.push_back(name);
  }
  for (const std::string& name : names) note(name);
  needs_resync_ = false;
  return std::monostate();
}

// Of a set that is not wanted, or has another type, nobody needs to know the members.
Status IpSetDriver::read_unread() {
  const std::vector<std::string> names(due_.begin(), due_.end());
  for (const std::string& name : names) {
    Set& set = sets_.at(name);
    if (!set.actual || set.actual->is_read || set.actual->header.spec != set.spec) continue;
    MARGAY_RETURN_IF_ERROR(read_members(name, set));
    note(name);
  }
  return std::monostate();
}

Status IpSetDriver::read_members(const std::string& name, Set& set) {
  std::vector<Member> found;
  found.reserve(set.actual->header.members);
  Status dumped = messages_.dump_members(
      kernel_, name, set.spec, [&found] { found.clear(); },
      [&](const FoundMember& one) {
        // One that means the contrary is overwritten by adding it; else it is one too many like any other.
        if (one.is_plain || !set.members.desired().contains(one.member)) found.push_back(one.member);
      });
  if (!dumped.ok() && dumped.error().code != ErrorCode::kNotFound) return dumped;
  if (!dumped.ok()) {
    set.actual.reset();
    set.members.clear_actual();
    return std::monostate();
  }
  set.members.replace_actual(std::move(found));
  set.actual->is_read = true;
  return std::monostate();
}

// --- the difference ---

void IpSetDriver::fail(dataplane::ApplyReport& report, const std::string& name, Error error) {
  ++report.failed;
  const std::string object = sets_.contains(name) ? concat("set ", name) : name;
  if (report.failures.size() < dataplane::kFailuresReportedMax) report.failures.push_back({object, error});
  if (sets_.contains(name)) failures_.insert_or_assign(name, std::move(error));
}

void IpSetDriver::update_once(dataplane::ApplyReport& report) {
  Status read = needs_resync_ ? resync() : ok_status();
  if (read.ok()) read = read_unread();
  if (!read.ok()) {
    needs_resync_ = true;
    return fail(report, "sets", read.error());
  }
  if (!due_.empty()) Round(*this, report).run();
}

dataplane::ApplyReport IpSetDriver::apply_updates(TimePoint now) {
  dataplane::ApplyReport report;
  std::erase_if(failures_, [this](const auto& entry) { return !doomed_.contains(entry.first); });
  const bool was_known = !needs_resync_;
  update_once(report);
  if (was_known && needs_resync_) {
    // The kernel is not as it was thought to be; now it is read, and one more try will mostly do.
    const std::size_t updated = report.updated;
    report = {};
    report.updated = updated;
    failures_.clear();
    update_once(report);
  }
  if (report.failed == 0) {
    backoff_.succeed();
  } else {
    report.try_again_at = now + backoff_.next();
  }
  return report;
}

void IpSetDriver::destroy(const std::vector<std::string>& names, dataplane::ApplyReport& report) {
  netlink::Batch batch;
  for (const std::string& name : names) messages_.add_destroy(batch, name);
  const netlink::BatchReport sent = kernel_.apply(batch);
  if (!sent.transport.ok()) {
    needs_resync_ = true;
    return fail(report, "sets", sent.transport.error());
  }
  std::map<std::size_t, const netlink::Failure*> refused;
  for (const netlink::Failure& failure : sent.failures) {
    if (failure.error != ENOENT) refused.emplace(failure.index, &failure);
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (const auto failure = refused.find(i); failure != refused.end()) {
      fail(report, names[i], error_of(*failure->second));
      continue;
    }
    ++report.removed;
    sets_.at(names[i]).actual.reset();
    note(names[i]);
  }
}

dataplane::ApplyReport IpSetDriver::apply_removals(TimePoint now) {
  dataplane::ApplyReport report;
  const std::set<std::string>& candidates = may_remove_ ? doomed_ : made_;
  // Those that were refused before come last, or they would keep the others from their turn.
  std::vector<std::string> names(candidates.begin(), candidates.end());
  const auto untried = std::stable_partition(names.begin(), names.end(),
                                             [this](const std::string& name) { return !failures_.contains(name); });
  const bool is_more = untried - names.begin() > static_cast<std::ptrdiff_t>(kDestroysMax);
  if (names.size() > kDestroysMax) names.resize(kDestroysMax);
  if (!names.empty()) destroy(names, report);
  if (report.failed == 0) {
    removal_backoff_.succeed();
  } else {
    report.try_again_at = now + removal_backoff_.next();
  }
  if (is_more) report.try_again_at = now;
  return report;
}

dataplane::ApplyReport IpSetDriver::apply(TimePoint now) {
  dataplane::ApplyReport report = apply_updates(now);
  dataplane::ApplyReport removals = apply_removals(now);
  report.removed += removals.removed;
  report.failed += removals.failed;
  for (dataplane::ObjectFailure& failure : removals.failures) {
    if (report.failures.size() < dataplane::kFailuresReportedMax) report.failures.push_back(std::move(failure));
  }
  if (!report.try_again_at) {
    report.try_again_at = removals.try_again_at;
  } else if (removals.try_again_at) {
    report.try_again_at = std::min(*report.try_again_at, *removals.try_again_at);
  }
  return report;
}

// --- looking ---

std::size_t IpSetDriver::desired_count() const {
  const auto count =
      std::count_if(sets_.begin(), sets_.end(), [](const auto& entry) { return entry.second.is_desired; });
  return static_cast<std::size_t>(count);
}

std::size_t IpSetDriver::actual_count() const {
  const auto count =
      std::count_if(sets_.begin(), sets_.end(), [](const auto& entry) { return entry.second.actual.has_value(); });
  return static_cast<std::size_t>(count);
}

std::map<std::string, IpSetDriver::SetState> IpSetDriver::states() const {
  std::map<std::string, SetState> out;
  for (const auto& [name, set] : sets_) {
    SetState state{.is_desired = set.is_desired, .is_actual = set.actual.has_value(), .spec = set.spec};
    if (!set.is_desired && set.actual && set.actual->header.spec) state.spec = *set.actual->header.spec;
    state.members_desired = set.members.desired().size();
    state.members_missing = set.members.missing().size();
    state.members_extra = set.members.extra().size();
    out.emplace(name, state);
  }
  return out;
}

std::vector<Member> IpSetDriver::desired_members(const std::string& name) const {
  const auto at = sets_.find(name);
  if (at == sets_.end()) return {};
  const Members& members = at->second.members.desired();
  return {members.begin(), members.end()};
}

}  // namespace margay::ipset
