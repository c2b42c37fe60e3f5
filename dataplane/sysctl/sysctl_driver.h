// SysctlDriver: settings of the kernel below /proc/sys, those of single interfaces above all.
//
// Invariants
//   1. The value a setting had before it was set is remembered and given back by reset(), if the setting still has the
//      value it was given here: what somebody else has chosen since stays.
//   2. A setting that is not there (its interface has gone, or has not come) is no failure; it is set once it is there
//      and somebody says so: note_interface() or queue_resync().
//   3. A setting that cannot be written (read-only /proc) is a failure once; it is tried again after a resync.
// Thread: the dataplane's; settings below net/ are those of its network namespace.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/delta/delta_tracker.h"
#include "dataplane/driver/driver.h"
#include "dataplane/sysctl/sysctl_tree.h"

namespace margay::sysctl {

// "net/ipv4/conf/<interface>/<setting>"; `group`: "ipv4/conf", "ipv4/neigh", "ipv6/conf".
std::string interface_path(std::string_view group, std::string_view interface, std::string_view setting);

class SysctlDriver final : public dataplane::Driver {
 public:
  explicit SysctlDriver(SysctlTree& tree) : tree_(tree) {}

  void set(const std::string& path, const std::string& value);
  // Gives the earlier value back with the next apply().
  void reset(const std::string& path);
  // The interface has come, gone, or is another one under the same name: what is known of its settings is void, earlier
  // values too; what is wanted of them is looked at again.
  void note_interface(std::string_view interface);
  // All that is wanted of it is forgotten, and nothing given back: it has gone.
  void forget_interface(std::string_view interface);

  void queue_resync() override { needs_resync_ = true; }
  dataplane::ApplyReport apply(TimePoint now) override;

  // For who keeps them over a restart: as they were before this driver, or an earlier life, touched them.
  [[nodiscard]] const std::map<std::string, std::string>& earlier() const { return earlier_; }
  void remember(const std::string& path, const std::string& value) { earlier_.try_emplace(path, value); }

 private:
  enum class Read { kSame, kKnown, kAbsent };

  void look(const std::string& path, dataplane::ApplyReport& report);
  void write_pending(dataplane::ApplyReport& report);
  void give_back(dataplane::ApplyReport& report);
  void complain(dataplane::ApplyReport& report, const std::string& path, const Error& error);

  SysctlTree& tree_;
  DeltaTracker<std::string, std::string> settings_;
  std::set<std::string> unread_;   // wanted; what they are is not known
  std::set<std::string> refused_;  // cannot be written, has been said
  std::map<std::string, std::string> earlier_;
  std::map<std::string, std::string> leaving_;  // to be given back: what was set
  bool needs_resync_ = false;
  dataplane::Backoff backoff_{std::chrono::milliseconds(100), std::chrono::seconds(30)};
};

}  // namespace margay::sysctl
