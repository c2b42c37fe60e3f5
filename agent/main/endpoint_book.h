// EndpointBook: what has become of each endpoint of this node, for people, for status files and for who waits (CNI).
// Thread: the control loop's.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "agent/dataplane/batch.h"
#include "agent/status/endpoint_status_files.h"
#include "datastore/model/endpoints.h"

namespace margay::agent {

class EndpointBook {
 public:
  using Workloads = std::map<model::ObjectKey, std::shared_ptr<const model::WorkloadEndpoint>>;

  // As the dataplane tells; files follow.
  void note(const std::map<model::ObjectKey, std::optional<EndpointState>>& changes, const Workloads& workloads);

  [[nodiscard]] const std::map<model::ObjectKey, EndpointState>& states() const { return states_; }
  // nullptr: the dataplane does not know it.
  [[nodiscard]] const EndpointState* find(const model::ObjectKey& key) const;
  [[nodiscard]] std::size_t count(EndpointStage stage) const;
  [[nodiscard]] status::EndpointStatusFiles& files() { return files_; }

 private:
  std::map<model::ObjectKey, EndpointState> states_;
  std::map<model::ObjectKey, status::WorkloadId> written_;
  status::EndpointStatusFiles files_;
};

}  // namespace margay::agent
