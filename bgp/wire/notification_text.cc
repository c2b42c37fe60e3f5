// NOTIFICATIONs in words: the registries "BGP Error (Notification) Codes" of IANA, and texts of RFC 9003.

#include <algorithm>
#include <span>

#include "base/core/text.h"
#include "bgp/wire/message.h"
#include "bgp/wire/utf8.h"

namespace margay::bgp {
namespace {

constexpr std::uint8_t kCease = 6;
constexpr std::size_t kTextSizeMax = 255;
constexpr std::size_t kDataShownMax = 32;

// By subcode; "" for none of this number.
constexpr std::string_view kHeaderErrors[] = {"Unspecific", "Connection Not Synchronized", "Bad Message Length",
                                              "Bad Message Type"};
constexpr std::string_view kOpenErrors[] = {"Unspecific",
                                            "Unsupported Version Number",
                                            "Bad Peer AS",
                                            "Bad BGP Identifier",
                                            "Unsupported Optional Parameter",
                                            "Authentication Failure",
                                            "Unacceptable Hold Time",
                                            "Unsupported Capability",
                                            "",
                                            "",
                                            "",
                                            "Role Mismatch"};
constexpr std::string_view kUpdateErrors[] = {"Unspecific",
                                              "Malformed Attribute List",
                                              "Unrecognized Well-known Attribute",
                                              "Missing Well-known Attribute",
                                              "Attribute Flags Error",
                                              "Attribute Length Error",
                                              "Invalid ORIGIN Attribute",
                                              "AS Routing Loop",
                                              "Invalid NEXT_HOP Attribute",
                                              "Optional Attribute Error",
                                              "Invalid Network Field",
                                              "Malformed AS_PATH"};
constexpr std::string_view kMachineErrors[] = {"Unspecific", "Unexpected Message in OpenSent",
                                               "Unexpected Message in OpenConfirm",
                                               "Unexpected Message in Established"};
constexpr std::string_view kCeases[] = {"Unspecific",
                                        "Maximum Number of Prefixes Reached",
                                        "Administrative Shutdown",
                                        "Peer De-configured",
                                        "Administrative Reset",
                                        "Connection Rejected",
                                        "Other Configuration Change",
                                        "Connection Collision Resolution",
                                        "Out of Resources",
                                        "Hard Reset",
                                        "BFD Down"};
constexpr std::string_view kRefreshErrors[] = {"Unspecific", "Invalid Message Length"};

struct CodeNames {
  std::string_view name;
  std::span<const std::string_view> subcodes;
};
constexpr CodeNames kCodes[] = {{"", {}},
                                {"Message Header Error", kHeaderErrors},
                                {"OPEN Message Error", kOpenErrors},
                                {"UPDATE Message Error", kUpdateErrors},
                                {"Hold Timer Expired", {}},
                                {"Finite State Machine Error", kMachineErrors},
                                {"Cease", kCeases},
                                {"ROUTE-REFRESH Message Error", kRefreshErrors},
                                {"Send Hold Timer Expired", {}}};

std::string error_name(std::uint8_t code, std::uint8_t subcode) {
  if (code == 0 || code >= std::size(kCodes)) return concat("Code ", code, "/", subcode);
  const CodeNames& known = kCodes[code];
  if (subcode < known.subcodes.size() && !known.subcodes[subcode].empty()) {
    return concat(known.name, "/", known.subcodes[subcode]);
  }
  return subcode == 0 ? std::string(known.name) : concat(known.name, "/", subcode);
}

std::string hex(std::string_view data) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char each : data.substr(0, kDataShownMax)) {
    const auto byte = static_cast<std::uint8_t>(each);
    text += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return data.size() > kDataShownMax ? text + "…" : text;
}

bool carries_text(std::uint8_t code, std::uint8_t subcode) {
  return code == kCease &&
         (subcode == cease_subcode::kAdministrativeShutdown || subcode == cease_subcode::kAdministrativeReset);
}

// Length and text, if the data is that and nothing else of use.
std::optional<std::string> text_of(std::string_view data) {
  if (data.empty() || static_cast<std::uint8_t>(data[0]) > data.size() - 1) return std::nullopt;
  return wire::printable(data.substr(1, static_cast<std::uint8_t>(data[0])));
}

std::string described(std::uint8_t code, std::uint8_t subcode, std::string_view data, bool may_nest) {
  std::string name = error_name(code, subcode);
  if (data.empty()) return name;
  if (carries_text(code, subcode)) {
    if (const auto text = text_of(data)) return text->empty() ? name : concat(name, ": ", *text);
  }
  // RFC 8538 §3.1: a Hard Reset carries the NOTIFICATION that it would have been.
  if (may_nest && code == kCease && subcode == cease_subcode::kHardReset && data.size() >= 2) {
    return concat(
        name, " (",
        described(static_cast<std::uint8_t>(data[0]), static_cast<std::uint8_t>(data[1]), data.substr(2), false), ")");
  }
  return concat(name, " (data ", hex(data), ")");
}

}  // namespace

std::string Notification::to_string() const { return described(code, subcode, data, true); }

Notification cease(std::uint8_t subcode, std::string_view text) {
  Notification notification{kCease, subcode, {}};
  if (text.empty() || !carries_text(kCease, subcode)) return notification;
  const std::string_view cut = wire::cut_at_character(text, kTextSizeMax);
  notification.data.push_back(static_cast<char>(cut.size()));
  notification.data.append(cut);
  return notification;
}

}  // namespace margay::bgp
