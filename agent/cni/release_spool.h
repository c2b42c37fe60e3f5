// ReleaseSpool: releases that could not be done yet, one small file each, so that they survive a restart. The plugin
// writes into the same folder when the agent is away.
//
// Blocks on the disk; files are few and small. The folder is made when it is first written to.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace margay::agent {

struct PendingRelease {
  std::string network;
  std::string container;
  std::string interface;
  std::string pod_namespace;
  std::string pod_name;
  friend bool operator==(const PendingRelease&, const PendingRelease&) = default;
};

class ReleaseSpool {
 public:
  explicit ReleaseSpool(std::string folder) : folder_(std::move(folder)) {}

  // Flushed to the disk, which may take long.
  Status put(const PendingRelease& release);
  // It outlives this process, but perhaps not the machine.
  Status put_quickly(const PendingRelease& release);
  void remove(const PendingRelease& release);
  // Whatever its network is called.
  [[nodiscard]] bool has(const std::string& container, const std::string& interface) const;
  // Those that can be read, in order of their names; the others are reported through `problems`.
  std::vector<PendingRelease> list(std::vector<std::string>* problems) const;

 private:
  [[nodiscard]] std::string path_of(const PendingRelease& release) const;

  std::string folder_;
};

}  // namespace margay::agent
