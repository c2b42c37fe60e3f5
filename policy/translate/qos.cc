#include "policy/translate/qos.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "base/core/text.h"

namespace margay::policy {
namespace {

struct Suffix {
  std::string_view text;
  double factor;
};
constexpr Suffix kSuffixes[] = {
    {"", 1},        {"n", 1e-9},    {"u", 1e-6},    {"m", 1e-3},    {"k", 1e3},     {"M", 1e6},
    {"G", 1e9},     {"T", 1e12},    {"P", 1e15},    {"E", 1e18},    {"Ki", 1024.0}, {"Mi", 1048576.0},
    {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"Pi", 0x1p50}, {"Ei", 0x1p60},
};

struct Bounds {
  std::int64_t least;
  std::int64_t most;
};
constexpr Bounds kBandwidth{1'000, 1'000'000'000'000'000};
constexpr Bounds kBurst{1'000, 34'359'738'360};
constexpr Bounds kPeakrate{1'010, 1'010'000'000'000'000};
constexpr Bounds kMinburst{1'000, 100'000'000};
constexpr Bounds kPackets{1, 10'000};
constexpr Bounds kConnections{1, std::numeric_limits<std::uint32_t>::max()};

class Limits {
 public:
  Limits(const StringMap& annotations, std::string_view direction) : annotations_(annotations), direction_(direction) {}

  [[nodiscard]] std::optional<std::int64_t> get(std::string_view what, Bounds bounds) const {
    const auto text = annotations_.find(concat("qos.projectcalico.org/", direction_, what));
    if (!text) return std::nullopt;
    const auto value = parse_quantity(*text);
    if (!value) return std::nullopt;
    return std::clamp(*value, bounds.least, bounds.most);
  }

 private:
  const StringMap& annotations_;
  std::string_view direction_;
};

// Names of code points are taken in any case.
std::string upper_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return out;
}

model::QosDirection direction_of(const Limits& limits) {
  model::QosDirection out;
  out.bandwidth = limits.get("Bandwidth", kBandwidth);
  if (out.bandwidth) out.burst = limits.get("Burst", kBurst);
  if (out.bandwidth) out.peakrate = limits.get("Peakrate", kPeakrate);
  if (out.peakrate) out.minburst = limits.get("Minburst", kMinburst);
  out.packet_rate = limits.get("PacketRate", kPackets);
  if (out.packet_rate) out.packet_burst = limits.get("PacketBurst", kPackets);
  out.max_connections = limits.get("MaxConnections", kConnections);
  return out;
}

}  // namespace

std::optional<std::int64_t> parse_quantity(std::string_view text) {
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || !std::isfinite(number) || number < 0) return std::nullopt;
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const auto* suffix = std::find_if(std::begin(kSuffixes), std::end(kSuffixes),
                                    [rest](const Suffix& candidate) { return candidate.text == rest; });
  if (suffix == std::end(kSuffixes)) return std::nullopt;
  const double value = std::ceil(number * suffix->factor);
  if (value >= 0x1p63) return std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(value);
}

std::optional<model::QosControls> qos_of(const StringMap& annotations) {
  model::QosControls out;
  out.ingress = direction_of(Limits(annotations, "ingress"));
  out.egress = direction_of(Limits(annotations, "egress"));
  if (const auto text = annotations.find("qos.projectcalico.org/dscp")) {
    if (const auto dscp = model::Dscp::parse(upper_case(*text)); dscp.ok()) out.dscp = dscp.value();
  }
  if (out == model::QosControls{}) return std::nullopt;
  return out;
}

}  // namespace margay::policy
