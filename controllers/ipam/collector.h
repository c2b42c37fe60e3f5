// Collector: cleans up after pods, nodes and writers that went away: what to ask and to change, as a machine.
//
//   watches ─▶ IpamView ─look─▶ suspects ─▶ stood for their time, seen at two looks? ─▶ jobs (job.h): read live, change
//                                  ▲                                                        │
//                                  ╰────────── backoff, or from the beginning ◀─────────────╯
//
// Invariants
//   1. Nothing that is used is taken: a suspicion of the view counts only when a live read says the same, and then only
//      for the very allocation that was there before that read (handle and sequence number).
//   2. What is leaked is taken within the grace, two looks, and the time that the writes take.
//   3. Without leave to act it looks all the same, so that who takes over has waited already.
//   4. So many leaks a pass, so many jobs at once; what failed waits longer each time.
//
// Pure: no clock, no I/O. Every question is answered once, or its job abandoned.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cni/ipam/held_block.h"
#include "controllers/ipam/suspects.h"

namespace margay::controllers {

using JobId = std::uint64_t;
struct Question {
  JobId job = 0;
  Ask ask;
};

// What was done, for people and metrics.
struct Deed {
  Suspect::Kind kind = Suspect::Kind::kLeak;
  std::string what{};                  // names, for the log
  std::vector<LeakedSlot> released{};  // kLeak
  std::string problem{};               // it failed, and will be tried again
};

class Collector {
 public:
  explicit Collector(CollectRules rules) : rules_(rules) {}

  [[nodiscard]] IpamView& view() { return view_; }
  void configure(const CollectRules& rules) { rules_ = rules; }

  // One look at everything. What is ripe becomes jobs, if it may.
  std::vector<Question> look(ipam::Moment now, bool may_act);
  std::vector<Question> on_told(JobId job, Told told, ipam::Moment now);
  // Jobs under way are forgotten: somebody else does them now.
  void abandon();

  [[nodiscard]] bool is_busy() const { return !running_.empty() || !ripe_.empty(); }
  // Nothing that will be cleaned up is known.
  [[nodiscard]] bool is_clean() const { return !is_busy() && candidates_.empty(); }
  [[nodiscard]] const Tally& tally() const { return tally_; }
  [[nodiscard]] std::size_t candidates() const { return candidates_.size(); }
  std::vector<Deed> take_deeds() { return std::exchange(deeds_, {}); }

 private:
  struct Candidate {
    std::string stamp;
    TimePoint since{};
    int looks = 0;
    int failures = 0;
    TimePoint not_before{};
    bool is_at_work = false;
  };
  struct Work {
    std::vector<Suspect> suspects;
    std::unique_ptr<Job> job;
  };

  void note(const std::vector<Suspect>& suspects, ipam::Moment now);
  void pick(std::vector<Suspect>&& suspects, ipam::Moment now);
  std::vector<Question> start_jobs(ipam::Moment now);
  [[nodiscard]] std::unique_ptr<Job> make_job(const std::vector<Suspect>& suspects, ipam::Moment now) const;
  void finish(Work work, ipam::Moment now);

  CollectRules rules_;
  IpamView view_;
  std::map<Suspect::Key, Candidate> candidates_;
  std::vector<std::vector<Suspect>> ripe_;  // for one job each
  std::map<JobId, Work> running_;
  JobId last_job_ = 0;
  Tally tally_;
  std::vector<Deed> deeds_;
};

}  // namespace margay::controllers
