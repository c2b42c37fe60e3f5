// FakeNode: what the fakes of fake_ports.h write to. For tests; one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/dataplane/ports.h"

namespace margay::agent {

// What all fakes write to and read from; outlives them.
struct FakeNode {
  std::vector<std::string> log;        // "set s1", "table filter v4 cali1", "route …" is FakeKernel's
  std::set<std::string> failing;       // "ipset", "filter v4", "settings", "neighbours", "conntrack", "backend"
  std::map<std::string, int> resyncs;  // by the same names
  std::map<std::string, std::set<std::string>> chains;  // by table: as the kernel has them
  std::set<std::string> sets;
  std::set<std::string> settings;
  std::map<NeighbourKey, Mac> neighbours;
  std::set<IpAddress> forgotten;
  std::map<ipip::DeviceKind, IfIndex> tunnels;  // as the kernel has them
  bool is_forwarding = false;
  bool has_leftovers = true;  // rules of an earlier life in the other back end
  int retries = 0;            // of what the tables had refused

  // Where `what` was first written; -1: it was not.
  [[nodiscard]] std::ptrdiff_t place(const std::string& what) const {
    const auto at = std::find(log.begin(), log.end(), what);
    return at == log.end() ? -1 : at - log.begin();
  }
  dataplane::ApplyReport failure(const std::string& name, TimePoint now) const {
    dataplane::ApplyReport report;
    report.failed = 1;
    report.failures.push_back({name, Error{ErrorCode::kUnavailable, "told to fail"}});
    report.try_again_at = now + std::chrono::milliseconds(100);
    return report;
  }
};

}  // namespace margay::agent
