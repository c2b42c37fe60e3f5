// The steps that clean-up's jobs are made of: each a small machine that reads what it is about to change and changes it
// by compare-and-swap, so that nothing rests on what a watch has shown. Pure: ask out, answer in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cni/ipam/block.h"
#include "cni/ipam/calls.h"

namespace margay::controllers {

enum class StepOutcome {
  kOpen,
  kDone,
  kNothing,  // there is nothing to be done, or not any more
  kFailed,   // it is not known, or somebody was quicker: later again
};

// Releases addresses of one block that are still given as they were: handle and sequence number; the others stay.
//
//   read ──▶ nothing is as it was: kNothing     else write ──ok──▶ kDone
//     ▲────────────── lost race ─────────────────────╯
class BlockCleaning {
 public:
  struct Request {
    IpPrefix cidr{};
    std::vector<ipam::ReleaseWish> wishes{};
    Duration cooldown{0};  // what is released cools, and what has cooled becomes free
    WallTime now{};
  };
  explicit BlockCleaning(Request request) : request_(std::move(request)) {}

  ipam::Call start();
  // The next call; nullopt: it is over.
  std::optional<ipam::Call> step(const ipam::Answer& answer);
  [[nodiscard]] StepOutcome outcome() const { return outcome_; }
  [[nodiscard]] const std::vector<IpAddress>& released() const { return released_; }
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  std::optional<ipam::Call> end(StepOutcome outcome);
  std::optional<ipam::Call> on_read(const ipam::Answer& answer);
  std::optional<ipam::Call> fail(const Error& error);

  Request request_;
  bool is_reading_ = true;
  int attempts_ = 0;
  StepOutcome outcome_ = StepOutcome::kOpen;
  std::vector<IpAddress> released_;
  Error error_;
};

// Makes a handle say what the blocks say; one that has nothing is deleted, one that is missing made.
//
//   read handle ──▶ read its blocks, and those it is thought to have ──▶ write, once
class HandleRepair {
 public:
  struct Request {
    std::string handle{};                  // as the blocks name it
    std::set<IpPrefix> blocks{};           // that may have addresses of it
    std::optional<std::string> version{};  // kNothing when it has another now; "": it is missing
  };
  explicit HandleRepair(Request request) : request_(std::move(request)) {}

  ipam::Call start();
  std::optional<ipam::Call> step(const ipam::Answer& answer);
  [[nodiscard]] StepOutcome outcome() const { return outcome_; }
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  enum class State { kReadHandle, kReadBlocks, kWrite };
  std::optional<ipam::Call> end(StepOutcome outcome);
  std::optional<ipam::Call> on_handle(const ipam::Answer& answer);
  std::optional<ipam::Call> on_block(const ipam::Answer& answer);
  std::optional<ipam::Call> read_next();
  std::optional<ipam::Call> write();

  Request request_;
  State state_ = State::kReadHandle;
  std::optional<model::IpamHandle> handle_;
  std::set<IpPrefix> left_;  // to be read
  std::map<IpPrefix, std::int32_t> counts_;
  StepOutcome outcome_ = StepOutcome::kOpen;
  Error error_;
};

// Deletes a block that nobody owns and that has nothing, or what carries the mark of an unfinished deletion.
class Removal {
 public:
  explicit Removal(ipam::Object object) : object_(std::move(object)) {}

  ipam::Call start() const { return {ipam::Verb::kGet, object_}; }
  std::optional<ipam::Call> step(const ipam::Answer& answer);
  [[nodiscard]] StepOutcome outcome() const { return outcome_; }
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  ipam::Object object_;
  bool is_reading_ = true;
  StepOutcome outcome_ = StepOutcome::kOpen;
  Error error_;
};

}  // namespace margay::controllers
