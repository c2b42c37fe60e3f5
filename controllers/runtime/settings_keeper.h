// SettingsKeeper: KubeControllersConfiguration "default" as it is now, and its status, where who leads writes what is
// in force. An object that is missing is made, with the defaults spelled out, as Calico does it. Thread: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "controllers/runtime/key_queue.h"
#include "controllers/runtime/object_writer.h"
#include "controllers/runtime/settings.h"
#include "datastore/watch/cluster_watch.h"

namespace margay::controllers {

class SettingsKeeper {
 public:
  // `on_change` runs once all there is has been read, and whenever it gives other settings.
  SettingsKeeper(WriterParts parts, const watch::WatchEnvironment& environment, Variables variables,
                 std::function<void(const Settings&)> on_change);

  void start() { cluster_.start(); }
  void lead(bool is_leading) { is_leading ? queue_.release_all() : queue_.hold(); }
  [[nodiscard]] const std::optional<Settings>& settings() const { return settings_; }

 private:
  using Object = model::KubeControllersConfiguration;
  void on_turn(bool is_in_sync);
  void write(const std::function<void(Verdict)>& done);

  WriterParts parts_;
  Variables variables_;
  std::function<void(const Settings&)> on_change_;
  std::shared_ptr<const Object> object_;
  std::optional<Settings> settings_;
  kube::OperationPtr operation_;
  KeyQueue<int> queue_;  // of one key
  watch::ClusterWatch cluster_;
};

}  // namespace margay::controllers
