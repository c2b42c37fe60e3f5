#include "base/core/text.h"
#include "bgp/wire/capability.h"
#include "bgp/wire/utf8.h"

namespace margay::bgp {
namespace {

std::string family_name(AfiSafi numbers) {
  if (const auto family = family_of(numbers)) return std::string(to_string(*family));
  return concat("afi-", numbers.afi, "-safi-", numbers.safi);
}

void append_graceful_restart(const GracefulRestart& restart, std::vector<std::string>& out) {
  out.push_back(concat("graceful-restart ", restart.restart_time_s, " s", restart.restarting ? " restarting" : "",
                       restart.notification ? " notification" : ""));
  for (const auto& [family, forwarding] : restart.forwarding) {
    out.push_back(concat("graceful-restart ", family_name(family), forwarding ? " forwarding" : ""));
  }
}

std::string_view direction_of(const AddPath& add_path) {
  if (add_path.receive) return add_path.send ? " both" : " receive";
  return add_path.send ? " send" : " none";
}

}  // namespace

std::vector<std::string> Capabilities::to_strings() const {
  std::vector<std::string> out;
  for (const AfiSafi family : multiprotocol) out.push_back(concat("multiprotocol ", family_name(family)));
  if (route_refresh) out.emplace_back("route-refresh");
  for (const AfiSafi family : extended_next_hop) out.push_back(concat("extended-next-hop ", family_name(family)));
  if (extended_message) out.emplace_back("extended-message");
  if (graceful_restart) append_graceful_restart(*graceful_restart, out);
  if (four_octet_asn) out.push_back(concat("four-octet-as ", four_octet_asn->value()));
  for (const auto& [family, each] : add_path)
    out.push_back(concat("add-path ", family_name(family), direction_of(each)));
  if (enhanced_route_refresh) out.emplace_back("enhanced-route-refresh");
  for (const auto& [family, each] : long_lived) {
    out.push_back(concat("long-lived-graceful-restart ", family_name(family), " ", each.stale_time_s, " s",
                         each.forwarding ? " forwarding" : ""));
  }
  if (!hostname.empty()) out.push_back(concat("hostname ", wire::printable(hostname)));
  if (!software_version.empty()) out.push_back(concat("software-version ", wire::printable(software_version)));
  for (const std::uint8_t code : unknown) out.push_back(concat("unknown ", code));
  return out;
}

}  // namespace margay::bgp
