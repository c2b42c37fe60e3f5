#include "controllers/ipam/collector.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"

namespace margay::controllers {
namespace {

using Kind = Suspect::Kind;

constexpr int kLooksMin = 2;
constexpr std::size_t kLeaksPerJob = 64;
constexpr Duration kBackoffMin = std::chrono::seconds(1);
constexpr Duration kBackoffMax = std::chrono::minutes(5);

Duration backoff_after(int failures) {
  return std::min(kBackoffMax, kBackoffMin * (std::int64_t{1} << std::min(failures, 20)));
}

std::string named(const std::vector<Suspect>& suspects) {
  std::string out = suspects.front().name;
  if (suspects.size() > 1) out += concat(" and ", suspects.size() - 1, " more");
  return out;
}

}  // namespace

std::vector<Question> Collector::look(ipam::Moment now, bool may_act) {
  Look look = look_at(view_, rules_, now.wall);
  tally_ = std::move(look.tally);
  note(look.suspects, now);
  if (!may_act) return {};
  pick(std::move(look.suspects), now);
  return start_jobs(now);
}

void Collector::note(const std::vector<Suspect>& suspects, ipam::Moment now) {
  std::map<Suspect::Key, Candidate> next;
  for (const Suspect& suspect : suspects) {
    Candidate candidate{suspect.stamp, now.steady, 1, 0, {}, false};
    const auto before = candidates_.find(suspect.key());
    if (before != candidates_.end() && before->second.stamp == suspect.stamp) {
      candidate = std::move(before->second);
      ++candidate.looks;
    }
    next.emplace(suspect.key(), std::move(candidate));
  }
  candidates_ = std::move(next);
  // What is at work stays so, whatever it looks like meanwhile.
  for (const auto& [id, work] : running_) {
    for (const Suspect& suspect : work.suspects) {
      const auto found = candidates_.find(suspect.key());
      if (found != candidates_.end()) found->second.is_at_work = true;
    }
  }
}

void Collector::pick(std::vector<Suspect>&& suspects, ipam::Moment now) {
  ripe_.clear();
  std::vector<Suspect> leaks;
  for (Suspect& suspect : suspects) {
    const Candidate& candidate = candidates_.at(suspect.key());
    const bool is_ripe = suspect.wait && !candidate.is_at_work && candidate.looks >= kLooksMin &&
                         now.steady - candidate.since >= *suspect.wait && now.steady >= candidate.not_before;
    if (!is_ripe) continue;
    if (suspect.kind == Kind::kLeak) {
      if (leaks.size() < rules_.leaks_per_pass) leaks.push_back(std::move(suspect));
    } else if (ripe_.size() < rules_.leaks_per_pass) {
      ripe_.emplace_back().push_back(std::move(suspect));
    }
  }
  // Those of one block are one write.
  std::stable_sort(leaks.begin(), leaks.end(), [](const Suspect& a, const Suspect& b) {
    return a.leak.slots.front().block < b.leak.slots.front().block;
  });
  std::vector<std::vector<Suspect>> jobs;
  for (Suspect& leak : leaks) {
    // What failed before goes alone: the others must not wait for it.
    const bool is_alone = candidates_.at(leak.key()).failures > 0;
    if (jobs.empty() || jobs.back().size() >= kLeaksPerJob || is_alone) jobs.emplace_back();
    jobs.back().push_back(std::move(leak));
    if (is_alone) jobs.emplace_back();
  }
  std::erase_if(jobs, [](const auto& job) { return job.empty(); });
  // Addresses first: blocks and affinities wait for them anyway.
  ripe_.insert(ripe_.begin(), std::make_move_iterator(jobs.begin()), std::make_move_iterator(jobs.end()));
}

std::unique_ptr<Job> Collector::make_job(const std::vector<Suspect>& suspects, ipam::Moment now) const {
  const Suspect& first = suspects.front();
  switch (first.kind) {
    case Kind::kLeak: {
      std::vector<Leak> leaks;
      for (const Suspect& each : suspects) leaks.push_back(each.leak);
      return std::make_unique<LeakRelease>(std::move(leaks), rules_.cooldown, now.wall);
    }
    case Kind::kHandle: return std::make_unique<SingleStep<HandleRepair>>(HandleRepair(first.handle));
    case Kind::kDeadOwner: return std::make_unique<OwnerRemoval>(first.owner, first.cidr, /*is_gone=*/true);
    case Kind::kIdleOwner: return std::make_unique<OwnerRemoval>(first.owner, first.cidr, /*is_gone=*/false);
    case Kind::kOwnerless:
    case Kind::kMarked: return std::make_unique<SingleStep<Removal>>(Removal(*first.object));
    case Kind::kCooled: break;
  }
  return std::make_unique<SingleStep<BlockCleaning>>(BlockCleaning({first.cidr, {}, rules_.cooldown, now.wall}));
}

std::vector<Question> Collector::start_jobs(ipam::Moment now) {
  std::vector<Question> out;
  while (running_.size() < rules_.jobs_max && !ripe_.empty()) {
    Work work{std::move(ripe_.front()), nullptr};
    ripe_.erase(ripe_.begin());
    for (const Suspect& suspect : work.suspects) candidates_[suspect.key()].is_at_work = true;
    work.job = make_job(work.suspects, now);
    auto ask = work.job->start();
    if (!ask) {
      finish(std::move(work), now);
      continue;
    }
    const JobId id = ++last_job_;
    out.push_back({id, std::move(*ask)});
    running_.emplace(id, std::move(work));
  }
  return out;
}

std::vector<Question> Collector::on_told(JobId job, Told told, ipam::Moment now) {
  const auto found = running_.find(job);
  if (found == running_.end()) return {};
  if (auto ask = found->second.job->step(std::move(told))) return {{job, std::move(*ask)}};
  Work work = std::move(found->second);
  running_.erase(found);
  finish(std::move(work), now);
  return start_jobs(now);
}

void Collector::finish(Work work, ipam::Moment now) {
  const StepOutcome outcome = work.job->outcome();
  for (const Suspect& suspect : work.suspects) {
    const auto found = candidates_.find(suspect.key());
    if (found == candidates_.end()) continue;
    Candidate& candidate = found->second;
    candidate.is_at_work = false;
    if (outcome == StepOutcome::kFailed) {
      candidate.not_before = now.steady + backoff_after(candidate.failures++);
    } else {
      // If it still looks so to the watch, that is old news, or a new case.
      candidates_.erase(found);
    }
  }
  Deed deed{work.suspects.front().kind, named(work.suspects), {}, {}};
  for (const Suspect& suspect : work.suspects) {
    for (const LeakedSlot& slot : suspect.leak.slots) {
      const auto& released = work.job->released();
      if (std::find(released.begin(), released.end(), slot.address) != released.end()) deed.released.push_back(slot);
    }
  }
  if (outcome == StepOutcome::kFailed) deed.problem = work.job->error().message;
  if (outcome != StepOutcome::kNothing) deeds_.push_back(std::move(deed));
}

void Collector::abandon() {
  running_.clear();
  ripe_.clear();
  for (auto& [key, candidate] : candidates_) candidate.is_at_work = false;
}

}  // namespace margay::controllers
