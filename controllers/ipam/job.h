// Job: one thing that clean-up does, from the look whether it is still so to the last write. Pure: ask out, answer in.
//
//   LeakRelease    pods and nodes read ──▶ blocks cleaned ──▶ handles repaired
//   OwnerRemoval   node read, when it is thought to be gone ──▶ block returned (cni/ipam BlockReturn)
//   SingleStep     one step (steps.h) alone
//
// Everything is read live before it is changed, after it was given: a release names handle and sequence number of an
// allocation that was there when its owner was asked for.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cni/ipam/give_back.h"
#include "cni/ipam/users.h"
#include "controllers/ipam/asks.h"
#include "controllers/ipam/steps.h"

namespace margay::controllers {

class Job {
 public:
  virtual ~Job() = default;
  virtual std::optional<Ask> start() = 0;
  // The next question; nullopt: it is over.
  virtual std::optional<Ask> step(Told told) = 0;

  [[nodiscard]] StepOutcome outcome() const { return outcome_; }
  [[nodiscard]] const Error& error() const { return error_; }  // kFailed
  [[nodiscard]] const std::vector<IpAddress>& released() const { return released_; }

 protected:
  std::optional<Ask> end(StepOutcome outcome, Error error = {}) {
    outcome_ = outcome;
    error_ = std::move(error);
    return std::nullopt;
  }
  std::vector<IpAddress> released_;

 private:
  StepOutcome outcome_ = StepOutcome::kOpen;
  Error error_;
};

// One address of a handle that nobody seems to use.
struct LeakedSlot {
  IpAddress address{};
  std::string handle{};
  std::int64_t sequence = 0;
  IpPrefix block{};
  ipam::AddressOwner owner{};
};
// All addresses of one owner: they go together, or not at all.
struct Leak {
  std::vector<LeakedSlot> slots;
  bool node_must_be_gone = false;  // no grace was given, as its node is thought to be gone
};

class LeakRelease final : public Job {
 public:
  LeakRelease(std::vector<Leak> leaks, Duration cooldown, WallTime now);
  std::optional<Ask> start() override { return next(); }
  std::optional<Ask> step(Told told) override;

 private:
  using PodName = std::pair<std::string, std::string>;
  std::optional<Ask> next();
  std::optional<Ask> next_question();
  std::optional<Ask> next_block();
  std::optional<Ask> next_handle();
  bool learn(Told told);
  void judge();

  std::vector<Leak> leaks_;
  Duration cooldown_;
  WallTime now_;
  std::set<PodName> pods_to_ask_;
  std::set<std::string> nodes_to_ask_;
  std::map<PodName, std::optional<model::Pod>> pods_;
  std::map<std::string, std::optional<model::Node>> nodes_;
  bool is_judged_ = false;
  std::map<IpPrefix, std::vector<ipam::ReleaseWish>> wishes_;  // to be done
  std::map<std::string, std::set<IpPrefix>> handles_;          // to be repaired
  std::optional<BlockCleaning> block_;
  std::optional<HandleRepair> handle_;
};

class OwnerRemoval final : public Job {
 public:
  // `is_gone`: the owner's node is thought to be gone, and must be; the block then stays without owner when others
  // have addresses of it.
  OwnerRemoval(model::BlockOwner owner, const IpPrefix& cidr, bool is_gone);
  std::optional<Ask> start() override;
  std::optional<Ask> step(Told told) override;

 private:
  model::BlockOwner owner_;
  bool must_ask_;
  bool is_asking_ = false;
  ipam::BlockReturn return_;
};

template <class Step>
class SingleStep final : public Job {
 public:
  explicit SingleStep(Step step) : step_(std::move(step)) {}
  std::optional<Ask> start() override { return step_.start(); }
  std::optional<Ask> step(Told told) override {
    if (auto call = step_.step(to_answer(std::move(told)))) return std::move(*call);
    return end(step_.outcome(), step_.error());
  }

 private:
  Step step_;
};

}  // namespace margay::controllers
