// Limits of a pod's traffic from its annotations qos.projectcalico.org/…. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/core/string_map.h"
#include "datastore/model/endpoints.h"

namespace margay::policy {

// A Quantity as Kubernetes writes it ("1M", "1.5Gi", "2e3", "100m"), rounded up; nullopt for anything else or what is
// negative. What does not fit is the largest number.
std::optional<std::int64_t> parse_quantity(std::string_view text);

// nullopt when there are none. What is out of bounds is brought to the nearest bound, what cannot be read and what has
// no meaning without another that is missing (a burst without bandwidth) is left out: a pod is better limited wrongly
// than not started.
std::optional<model::QosControls> qos_of(const StringMap& annotations);

}  // namespace margay::policy
