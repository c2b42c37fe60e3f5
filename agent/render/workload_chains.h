// Chains of a workload: margay-tw-<interface> (to it) and margay-fw-<interface> (from it), in the filter table of the
// families it has addresses of, and the exceptions from the check of its sources in the raw table. Pure.
#pragma once

#include <string>
#include <vector>

#include "agent/render/endpoint_rules.h"

namespace margay::render {

std::string to_workload_chain(std::string_view interface);
std::string from_workload_chain(std::string_view interface);

// Those it may speak. In the other one its interface is as unknown as one without a workload: nothing passes, and what
// would say so at length for each workload is not there.
std::vector<IpFamily> families_of(const model::WorkloadEndpointSpec& workload, const Settings& settings);

// `endpoint` has a workload.
EndpointChains render_workload(const std::string& interface, const policy::Endpoint& endpoint,
                               const EndpointContext& context);

// Sources that the check by routes would drop although the workload may use them.
Rules spoofing_exceptions(const std::string& interface, const policy::Endpoint& endpoint, IpFamily family,
                          const Settings& settings);

FieldErrors problems_of(const model::WorkloadEndpointSpec& workload, const KernelFeatures& features);

}  // namespace margay::render
