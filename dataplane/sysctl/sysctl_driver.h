// SysctlDriver: settings of the kernel below /proc/sys, those of single interfaces above all.
//
// Invariants
//   1. The value a setting had before it was set is remembered and given back by reset(), if the setting still has the
//      value it was given here: what somebody else has chosen since stays.
//   2. A setting that is not there (its interface has gone, or has not come) is no failure; it is set once it is there
//      and somebody says so: set() again, note_interface() or queue_resync().
//   3. A setting that cannot be read or written (read-only /proc) is a failure once; it is tried again when another
//      value is wanted, or after queue_resync().
// Thread: the dataplane's; settings below net/ are those of its network namespace.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/delta/delta_tracker.h"
#include "dataplane/driver/driver.h"
#include "dataplane/sysctl/sysctl_tree.h"

namespace margay::sysctl {

// "net/<group>/<interface>/<setting>"; `group`: "ipv4/conf", "ipv4/neigh", "ipv6/conf".
std::string interface_path(std::string_view group, std::string_view interface, std::string_view setting);

class SysctlDriver final : public dataplane::Driver {
 public:
  explicit SysctlDriver(SysctlTree& tree) : tree_(tree) {}

  void set(const std::string& path, const std::string& value);
  // It is not wanted any more: the next apply() gives the earlier value back.
  void reset(const std::string& path);
  // The interface has come, gone, or is another one under the same name: what is known of its settings is void, earlier
  // values too; what is wanted of them is looked at again.
  void note_interface(std::string_view interface);
  // It has gone for good: nothing is wanted of it any more, and nothing given back.
  void forget_interface(std::string_view interface);

  // What others changed meanwhile is put right with the next apply().
  void queue_resync() override { needs_resync_ = true; }
  dataplane::ApplyReport apply(TimePoint now) override;

  [[nodiscard]] std::size_t desired_count() const { return settings_.desired_count(); }
  [[nodiscard]] std::size_t actual_count() const { return settings_.actual_count(); }
  // Values from before this driver, or an earlier life of it, touched them; for who keeps them over a restart.
  [[nodiscard]] const std::map<std::string, std::string>& earlier() const { return earlier_; }
  void remember(const std::string& path, const std::string& value);

 private:
  void look(const std::string& path, dataplane::ApplyReport& report);
  void write_pending(dataplane::ApplyReport& report);
  void give_back(dataplane::ApplyReport& report);
  void complain(dataplane::ApplyReport& report, const std::string& path, const Error& error);
  void note_path(const std::string& path);

  SysctlTree& tree_;
  DeltaTracker<std::string, std::string> settings_;
  std::set<std::string> unread_;   // must be looked at
  std::set<std::string> refused_;  // has been said
  std::map<std::string, std::string> earlier_;
  std::map<std::string, std::set<std::string>, std::less<>> paths_;  // of each interface, all there ever were
  bool needs_resync_ = false;
};

}  // namespace margay::sysctl
