// Chains of a workload: margay-tw-<interface> (to it) and margay-fw-<interface> (from it), in the filter table of both
// families, and the exceptions from the check of its sources in the raw table. Pure.
#pragma once

#include <string>

#include "agent/render/endpoint_rules.h"

namespace margay::render {

std::string to_workload_chain(std::string_view interface);
std::string from_workload_chain(std::string_view interface);

// `endpoint` has a workload.
EndpointChains render_workload(const std::string& interface, const policy::Endpoint& endpoint,
                               const EndpointContext& context);

// Sources that the check by routes would drop although the workload may use them.
Rules spoofing_exceptions(const std::string& interface, const policy::Endpoint& endpoint, IpFamily family,
                          const Settings& settings);

FieldErrors problems_of(const model::WorkloadEndpointSpec& workload, const KernelFeatures& features);

}  // namespace margay::render
