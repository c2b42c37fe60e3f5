#include "agent/dataplane/batch.h"

#include <utility>

namespace margay::agent {

void DataplaneBatch::merge(DataplaneBatch&& later) {
  policy.merge(std::move(later.policy));
  if (later.settings) settings = std::move(later.settings);
  if (later.networks) networks = std::move(later.networks);
  if (later.own_blocks) own_blocks = std::move(later.own_blocks);
  plan.merge(std::move(later.plan));
  if (later.tunnels) tunnels = later.tunnels;
  number = later.number;
  if (!since) since = later.since;
}

std::string_view to_string(EndpointStage stage) {
  switch (stage) {
    case EndpointStage::kWaitingForPolicy: return "waiting for policy";
    case EndpointStage::kWaitingForInterface: return "waiting for interface";
    case EndpointStage::kFailed: return "failed";
    case EndpointStage::kProgrammed: return "programmed";
  }
  return "unknown";
}

void DataplaneReport::merge(DataplaneReport&& later) {
  std::map<model::ObjectKey, std::optional<EndpointState>> both = std::move(later.endpoints);
  both.merge(endpoints);  // the later one stays
  *this = std::move(later);
  endpoints = std::move(both);
}

}  // namespace margay::agent
