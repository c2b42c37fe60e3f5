// HostStates: how far the host endpoints of this node have come, as told by the EndpointState of each. Pure.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "agent/dataplane/batch.h"
#include "base/core/field_error.h"
#include "datastore/model/endpoints.h"
#include "datastore/model/key.h"

namespace margay::agent {

class HostStates {
 public:
  using Host = std::shared_ptr<const model::HostEndpoint>;

  // Null: gone.
  void set_endpoint(const model::ObjectKey& key, const Host& host);
  // The rules of all endpoints set so far are in the kernel, in all families.
  void confirm();

  // What states depend on besides.
  struct Facts {
    const std::map<std::string, model::ObjectKey>& chosen;  // by interface, as the renderer has it; "*" for all
    const std::map<std::string, FieldErrors>& problems;     // of the renderer, by "HostEndpoint NAME"
    std::function<bool(const std::string&)> is_present;     // whether there is such an interface
  };
  [[nodiscard]] std::map<model::ObjectKey, EndpointState> states(const Facts& facts) const;

 private:
  struct Entry {
    Host host;
    bool is_confirmed = false;
  };
  [[nodiscard]] static EndpointState state(const model::ObjectKey& key, const Entry& entry, const Facts& facts);

  std::map<model::ObjectKey, Entry> hosts_;
};

}  // namespace margay::agent
