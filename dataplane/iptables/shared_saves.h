// SharedSaves: what iptables-nft-save tells, once for all tables of a family.
//
// The nft back end reads the rules of every table, whichever is asked for: on a node with 17,000 rules each of four
// tables costs what all of them cost. So the whole is asked for once, and each table's part is kept for whoever asks
// next, until it is taken or forget() is called. The legacy back end reads one table, and is left alone.
#pragma once

#include <map>
#include <string>

#include "dataplane/exec/runner.h"

namespace margay::iptables {

class SharedSaves final : public exec::Runner {
 public:
  // `runner` outlives this.
  explicit SharedSaves(exec::Runner& runner) : runner_(runner) {}

  Result<exec::Finished> run(const exec::Command& command) override;
  // What was read is too old from now on.
  void forget() { parts_.clear(); }

 private:
  exec::Runner& runner_;
  std::map<std::string, std::map<std::string, std::string>> parts_;  // by program and table
};

}  // namespace margay::iptables
