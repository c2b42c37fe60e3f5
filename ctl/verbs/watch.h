// Changes of a kind, as they come, until the user interrupts.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ctl/verbs/session.h"

namespace margay::verbs {

struct WatchRequest {
  const schema::ResourceInfo* resource = nullptr;
  std::string name_space;  // "": all
  kube::ListOptions options;
  std::string resource_version;    // watch from here; "": from now
  std::vector<json::Value> shown;  // what the user has seen already
};

// Watches again when the server ends a watch, and lists again when it no longer has the version (410): then only what
// differs from what was shown is shown. `on_change` returns false to stop (nobody reads any more). Ends with kDone when
// interrupted, with an error when the server refuses.
command::ExitCode watch_changes(Session& session, Api& api, const WatchRequest& request,
                                const std::function<bool(json::Value object)>& on_change);

}  // namespace margay::verbs
