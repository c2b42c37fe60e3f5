// The metrics of a registry as text, for GET /metrics: Prometheus text format 0.0.4 or OpenMetrics 1.0.0.
//
// Families come in the order of their names, series in the order of their labels, labels in the order of their names
// (`le` last), so that two scrapes of equal values are equal.
#pragma once

#include <string>
#include <string_view>

#include "base/telemetry/metrics.h"

namespace margay::telemetry {

enum class Exposition { kPrometheusText, kOpenMetrics };

// The value of the Content-Type header.
std::string_view content_type(Exposition format);
// What to answer to an Accept header: OpenMetrics if it is named with a quality above zero, otherwise Prometheus text.
Exposition choose_exposition(std::string_view accept_header);

// Runs the callback gauges.
std::string render(const Registry& registry, Exposition format);

}  // namespace margay::telemetry
