#include "dataplane/ipset/member_delta.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace margay::ipset {

namespace {

Member whole_of(const Member& half) {
  return Member{IpPrefix::containing(half.net.first(), 0), half.protocol, half.port};
}

std::array<Member, 2> halves_of(const Member& whole) {
  const IpPrefix low = IpPrefix::containing(whole.net.first(), 1);
  const IpPrefix high = IpPrefix::containing(whole.net.last(), 1);
  return {Member{low, whole.protocol, whole.port}, Member{high, whole.protocol, whole.port}};
}

void sort_once(std::vector<Member>& members) {
  std::sort(members.begin(), members.end());
  members.erase(std::unique(members.begin(), members.end()), members.end());
}

template <class A, class B>
std::vector<Member> difference(const A& a, const B& b) {
  std::vector<Member> out;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

}  // namespace

void MemberDelta::put(const Member& member) {
  if (!desired_.insert(member).second || is_empty_) return;
  if (extra_.erase(member) == 0) missing_.insert(member);
}

void MemberDelta::take(const Member& member) {
  if (desired_.erase(member) == 0 || is_empty_) return;
  if (missing_.erase(member) == 0) extra_.insert(member);
}

void MemberDelta::add(const Member& member) {
  if (member.net.length() == 0) {
    wholes_.insert(member);
    for (const Member& half : halves_of(member)) put(half);
    return;
  }
  if (member.net.length() == 1) halves_.insert(member);
  put(member);
}

void MemberDelta::remove(const Member& member) {
  if (member.net.length() == 0) {
    wholes_.erase(member);
    for (const Member& half : halves_of(member)) {
      if (!halves_.contains(half)) take(half);
    }
    return;
  }
  if (member.net.length() == 1) {
    halves_.erase(member);
    if (wholes_.contains(whole_of(member))) return;
  }
  take(member);
}

void MemberDelta::replace(const std::vector<Member>& members) {
  wholes_.clear();
  halves_.clear();
  std::vector<Member> wanted;
  wanted.reserve(members.size());
  for (const Member& member : members) {
    if (member.net.length() == 0) {
      wholes_.insert(member);
      for (const Member& half : halves_of(member)) wanted.push_back(half);
      continue;
    }
    if (member.net.length() == 1) halves_.insert(member);
    wanted.push_back(member);
  }
  sort_once(wanted);
  if (is_empty_) {
    desired_ = Members(wanted.begin(), wanted.end());
    return;
  }
  const std::vector<Member> gone = difference(desired_, wanted);
  const std::vector<Member> come = difference(wanted, desired_);
  for (const Member& member : gone) take(member);
  for (const Member& member : come) put(member);
}

void MemberDelta::clear_actual() {
  is_empty_ = true;
  missing_.clear();
  extra_.clear();
}

void MemberDelta::replace_actual(std::vector<Member> members) {
  sort_once(members);
  is_empty_ = false;
  const std::vector<Member> missing = difference(desired_, members);
  const std::vector<Member> extra = difference(members, desired_);
  missing_ = Members(missing.begin(), missing.end());
  extra_ = Members(extra.begin(), extra.end());
}

void MemberDelta::added_all_but(const std::vector<Member>& refused) {
  is_empty_ = false;
  missing_ = Members(refused.begin(), refused.end());
}

void MemberDelta::deleted_all_but(const std::vector<Member>& refused) {
  extra_ = Members(refused.begin(), refused.end());
}

}  // namespace margay::ipset
