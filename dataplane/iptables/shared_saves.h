// SharedSaves: what iptables-nft-save tells, once for all tables of a family.
//
// The nft back end reads the rules of every table, whichever is asked for: on a node with 17,000 rules each of four
// tables costs what all of them cost. So the whole is asked for once, and each table's part is kept for whoever asks
// next, until it is taken or forget() is called. The legacy back end reads one table, and is left alone.
//
// A start knows that it will ask: begin() lets the program work while the rest of the start goes on. What it has read
// counts if nobody has changed the rules since.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/ip/address.h"
#include "dataplane/exec/runner.h"

namespace margay::iptables {

class SharedSaves final : public exec::Runner {
 public:
  // The number of the last change of any rule (ruleset_generation()); nullopt: not known.
  using Generation = std::function<std::optional<std::uint32_t>()>;
  // `runner` outlives this.
  explicit SharedSaves(exec::Runner& runner, Generation generation = {})
      : runner_(runner), generation_(std::move(generation)) {}

  Result<exec::Finished> run(const exec::Command& command) override;
  // Reads the family beside the caller, until a table of either family is asked for. Without a Generation nothing.
  void begin(IpFamily family);
  // What was read is too old from now on.
  void forget();

 private:
  // By table. Nothing: what was begun was not finished well, or is too old.
  using Parts = std::map<std::string, std::string>;
  struct Begun {
    std::uint32_t generation;
    std::unique_ptr<exec::Running> running;
  };
  void finish_begun();

  exec::Runner& runner_;
  Generation generation_;
  std::map<std::string, Parts> parts_;  // by program
  std::map<std::string, Begun> begun_;  // by program
};

}  // namespace margay::iptables
