// Releases, and handles.
#include <utility>

#include "base/core/text.h"
#include "cni/ipam/allocator.h"
#include "cni/ipam/names.h"

namespace margay::ipam {

Outputs Allocator::release(ReleaseRequest request, Moment now) {
  for (auto at = assignments_.begin(); at != assignments_.end() && !request.address;) {
    const auto next = std::next(at);
    if (at->second.request.holder.handle == request.handle) {
      AssignDone done{at->first, std::vector<Got>(at->second.demands.size())};
      for (Got& got : done.got) got.error = Error{ErrorCode::kCancelled, "the handle is being released"};
      for (auto& [cidr, block] : held_) block.cancel(at->first, now);
      out_.emplace_back(std::move(done));
      assignments_.erase(at);
    }
    at = next;
  }
  const RequestId id = request.id;
  Removal& removal = removals_[id];
  removal.request = std::move(request);
  removal.retry_at = now.steady;
  return flush(now);
}

// Where the handle's addresses are: in blocks that are held, else the handle itself is asked.
void Allocator::find_holdings(Removal& removal, Moment now) {
  removal.retry_at.reset();
  const std::string& handle = removal.request.handle;
  if (removal.request.address) return find_address(removal, *removal.request.address, now);
  for (auto& [cidr, block] : held_) {
    if (!block.concerns(handle)) continue;
    removal.count += block.count_of(handle);
    ++removal.open;
    (void)block.add({.kind = Wish::Kind::kRelease, .request = removal.request.id, .holder = {handle, {}}}, now);
  }
  if (removal.open > 0) return;
  removal.is_looking = true;
  model::IpamHandle wanted;
  wanted.metadata.name = handle_name(handle);
  issue(OfLookup{removal.request.id}, {Verb::kGet, wanted});
}

void Allocator::find_address(Removal& removal, const IpAddress& address, Moment now) {
  const std::string& handle = removal.request.handle;
  for (auto& [cidr, block] : held_) {
    if (!cidr.contains(address) || !block.is_known()) continue;
    const std::optional<Ordinal> ordinal = ordinal_of(block.working(), address);
    const std::string* const holder = ordinal ? holder_of(block.working(), *ordinal) : nullptr;
    if (holder == nullptr || *holder != handle) return;  // it has been done
    removal.count = 1;
    removal.open = 1;
    (void)block.add(
        {.kind = Wish::Kind::kRelease, .request = removal.request.id, .holder = {handle, {}}, .ordinal = ordinal}, now);
    return;
  }
  removal.error = Error{ErrorCode::kNotFound, concat(address.to_string(), " is in no block that is held")};
}

void Allocator::answer(const OfLookup& of, Answer&& answered, Moment now) {
  const auto found = removals_.find(of.request);
  if (found == removals_.end()) return;
  Removal& removal = found->second;
  removal.is_looking = false;
  if (!answered.ok()) {
    if (is_unknown(answered.error())) {
      removal.retry_at = now.steady + backoff(++removal.failures);
    } else if (answered.error().code != ErrorCode::kNotFound) {
      removal.error = answered.error();
    }
    return;
  }
  const auto handle = std::get<model::IpamHandle>(std::move(answered).value());
  HandleJob& job = handles_[removal.request.handle];
  if (!job.change) job.known = handle;
  for (const auto& [text, count] : handle.spec.block) {
    const auto cidr = IpPrefix::parse(text);
    if (!cidr.ok()) continue;
    job.blocks.insert(cidr.value());
    if (returns_.contains(cidr.value()) || claims_.contains(cidr.value())) continue;
    removal.count += count;
    ++removal.open;
    (void)hold(cidr.value())
        .add({.kind = Wish::Kind::kRelease, .request = removal.request.id, .holder = {removal.request.handle, {}}},
             now);
  }
  job.is_again = true;
}

void Allocator::finish_removals() {
  for (auto at = removals_.begin(); at != removals_.end();) {
    Removal& removal = at->second;
    if (removal.open > 0 || removal.is_looking || removal.retry_at) {
      ++at;
      continue;
    }
    ReleaseDone done{at->first, ok_status(), removal.count};
    if (removal.error) done.outcome = *removal.error;
    out_.emplace_back(std::move(done));
    at = removals_.erase(at);
  }
}

// The handle is to say what the block has of it: now, or when the write under way has been answered.
void Allocator::sync_handle(const std::string& handle, const IpPrefix& cidr) {
  HandleJob& job = handles_[handle];
  job.blocks.insert(cidr);
  job.is_again = true;
}

void Allocator::start_handle(const std::string& handle, HandleJob& job) {
  job.is_again = false;
  job.retry_at.reset();
  HandleCounts counts;
  for (const IpPrefix& cidr : job.blocks) {
    const auto held = held_.find(cidr);
    std::int32_t count = held == held_.end() ? 0 : held->second.count_of(handle);
    // Of a block that is not yet read, what is asked of it.
    if (held != held_.end() && !held->second.is_known() && held->second.concerns(handle)) {
      job.has_guess = true;
      count = 1;
    }
    counts[cidr] = count;
  }
  job.change.emplace(handle, std::move(counts), job.known);
  if (auto call = job.change->start()) return issue(OfHandle{handle}, std::move(*call));
  job.known = job.change->handle();
  job.change.reset();
}

void Allocator::answer(const OfHandle& of, Answer&& answered, Moment now) {
  const auto found = handles_.find(of.handle);
  HandleJob& job = found->second;
  if (auto next = job.change->step(std::move(answered))) return issue(of, std::move(*next));
  if (job.change->outcome() == HandleChange::Outcome::kDone) {
    job.known = job.change->handle();
    job.failures = 0;
  } else if (is_unknown(job.change->error())) {
    job.known.reset();
    job.is_again = true;
    job.retry_at = now.steady + backoff(++job.failures);
  } else {
    // Refused: whoever waits is told; the blocks are right, and who cleans up finds it.
    for (auto& [id, assignment] : assignments_) {
      if (assignment.request.holder.handle == of.handle) assignment.handle_error = job.change->error();
    }
  }
  job.change.reset();
}

// Of a handle that has nothing nothing is kept.
void Allocator::forget_handles() {
  for (auto at = handles_.begin(); at != handles_.end();) {
    const HandleJob& job = at->second;
    if (job.is_again || job.known || job.change) {
      ++at;
      continue;
    }
    const std::set<IpPrefix> blocks = job.blocks;
    at = handles_.erase(at);
    for (const IpPrefix& cidr : blocks) drop_if_useless(cidr);
  }
}

}  // namespace margay::ipam
