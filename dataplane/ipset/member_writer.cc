#include "dataplane/ipset/member_writer.h"

#include <linux/netfilter/ipset/ip_set.h>

#include <algorithm>
#include <utility>

namespace margay::ipset {

namespace {

constexpr std::size_t kBatchBytesMax = 1024 * 1024;  // built before it is sent
constexpr std::size_t kSliceMax = 2048;              // members looked at for one message; fewer have room

// Numbers of the sets' own are about a member; a full set, or an errno, is about the set.
bool is_about_member(int error) { return error > IPSET_ERR_PRIVATE && error != IPSET_ERR_TYPE_SPECIFIC; }

}  // namespace

Status MemberWriter::write(std::size_t owner, const std::string& name, const SetSpec& spec, const Members& members) {
  for (auto at = members.begin(); at != members.end();) {
    std::vector<Member> slice;
    for (auto next = at; next != members.end() && slice.size() < kSliceMax; ++next) slice.push_back(*next);
    const std::size_t taken = messages_.add_members(batch_, change_, name, spec, slice);
    slice.resize(taken);
    std::advance(at, static_cast<std::ptrdiff_t>(taken));
    slices_.push_back({owner, name, spec, std::move(slice)});
    if (batch_.size_bytes() >= kBatchBytesMax) MARGAY_RETURN_IF_ERROR(flush());
  }
  return std::monostate();
}

Result<std::vector<MemberWriter::Refusal>> MemberWriter::finish() {
  MARGAY_RETURN_IF_ERROR(flush());
  return std::move(refusals_);
}

Status MemberWriter::flush() {
  if (batch_.empty()) return std::monostate();
  const netlink::BatchReport sent = kernel_.apply(batch_);
  batch_.clear();
  const std::vector<Slice> slices = std::exchange(slices_, {});
  MARGAY_RETURN_IF_ERROR(sent.transport);
  std::vector<const Slice*> again;
  for (const netlink::Failure& failure : sent.failures) {
    const Slice& slice = slices[failure.index];
    const bool is_alone = slice.members.size() == 1;
    if (!is_about_member(failure.error)) {
      refusals_.push_back({slice.owner, std::nullopt, error_of(failure)});
    } else if (is_alone) {
      refusals_.push_back({slice.owner, slice.members[0], error_of(failure)});
    } else {
      again.push_back(&slice);
    }
  }
  return again.empty() ? ok_status() : retry(again);
}

// flush() of messages with one member each ends here with nothing left to retry.
Status MemberWriter::retry(const std::vector<const Slice*>& failed) {
  for (const Slice* slice : failed) {
    for (const Member& member : slice->members) {
      static_cast<void>(messages_.add_members(batch_, change_, slice->name, slice->spec, {&member, 1}));
      slices_.push_back({slice->owner, slice->name, slice->spec, {member}});
      if (batch_.size_bytes() >= kBatchBytesMax) MARGAY_RETURN_IF_ERROR(flush());
    }
  }
  return flush();
}

}  // namespace margay::ipset
