// Values that several kinds share and that objects write as one word or number.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/core/result.h"
#include "base/core/time.h"
#include "base/ip/address.h"
#include "base/ip/port.h"
#include "datastore/model/enum.h"

namespace margay::model {

// The number of a transport protocol (IANA "Protocol Numbers"). Six have names in objects: TCP, UDP, ICMP, ICMPv6,
// SCTP, UDPLite.
class Protocol {
 public:
  constexpr Protocol() = default;
  constexpr explicit Protocol(std::uint8_t number) : number_(number) {}
  // A name as above, or a number from 1 to 255.
  static Result<Protocol> parse(std::string_view text);

  [[nodiscard]] constexpr std::uint8_t number() const { return number_; }
  // The name, or "" when it has none.
  [[nodiscard]] std::string_view name() const;
  // The name, else the number.
  [[nodiscard]] std::string to_string() const;
  // TCP, UDP, SCTP.
  [[nodiscard]] bool has_ports() const;

  friend constexpr auto operator<=>(const Protocol&, const Protocol&) = default;

 private:
  std::uint8_t number_ = 0;
};

inline constexpr Protocol kProtocolIcmp{1};
inline constexpr Protocol kProtocolTcp{6};
inline constexpr Protocol kProtocolUdp{17};
inline constexpr Protocol kProtocolIcmpV6{58};
inline constexpr Protocol kProtocolSctp{132};
inline constexpr Protocol kProtocolUdpLite{136};

// Ports of a rule: 80, "8000:8100", or the name of a port of the endpoint.
class PortOrName {
 public:
  explicit PortOrName(PortRange range) : value_(range) {}
  explicit PortOrName(std::string name) : value_(std::move(name)) {}
  // 1 to 65535, a range of them, or a name of letters, digits, "_", "." and "-".
  static Result<PortOrName> parse(std::string_view text);

  // Exactly one is not null.
  [[nodiscard]] const PortRange* range() const { return std::get_if<PortRange>(&value_); }
  [[nodiscard]] const std::string* name() const { return std::get_if<std::string>(&value_); }
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const PortOrName&, const PortOrName&) = default;

 private:
  std::variant<PortRange, std::string> value_;
};

// A BGP community, standard ("65000:100", RFC 1997) or large ("65000:1:2", RFC 8092).
class Community {
 public:
  // 0:0
  Community() = default;
  static Community standard(std::uint16_t high, std::uint16_t low) { return Community(false, high, low, 0); }
  static Community large(std::uint32_t global, std::uint32_t local1, std::uint32_t local2) {
    return Community(true, global, local1, local2);
  }
  static Result<Community> parse(std::string_view text);

  [[nodiscard]] bool is_large() const { return is_large_; }
  // Two or three numbers.
  [[nodiscard]] std::uint32_t part(int index) const { return parts_[index]; }
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const Community&, const Community&) = default;

 private:
  Community(bool is_large, std::uint32_t a, std::uint32_t b, std::uint32_t c) : is_large_(is_large), parts_{a, b, c} {}

  bool is_large_ = false;
  std::uint32_t parts_[3] = {};
};

// Where a BGP peer listens: "192.0.2.1", "192.0.2.1:1179", "2001:db8::1" or "[2001:db8::1]:1179".
struct PeerAddress {
  IpAddress address;
  std::optional<Port> port;  // nullopt: 179

  static Result<PeerAddress> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const PeerAddress&, const PeerAddress&) = default;
};

enum class AffinityType { kHost, kVirtual };
template <>
struct EnumText<AffinityType> {
  static constexpr std::string_view kWords[] = {"host", "virtual"};
};

// Whom a block of addresses belongs to: "host:node-1", "virtual:load-balancer".
struct BlockOwner {
  AffinityType type = AffinityType::kHost;
  std::string name;

  static Result<BlockOwner> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const BlockOwner&, const BlockOwner&) = default;
};

// A differentiated services code point (RFC 2474): 0 to 63, or a name such as EF, AF11, CS1, DF.
class Dscp {
 public:
  constexpr Dscp() = default;
  constexpr explicit Dscp(std::uint8_t value) : value_(value) {}
  static Result<Dscp> parse(std::string_view text);

  [[nodiscard]] constexpr std::uint8_t value() const { return value_; }
  // The number: the form that says what is on the wire.
  [[nodiscard]] std::string to_string() const;
  friend constexpr auto operator<=>(const Dscp&, const Dscp&) = default;

 private:
  std::uint8_t value_ = 0;
};

// "Auto", or a duration.
struct AutoOrDuration {
  std::optional<Duration> duration;  // nullopt: Auto

  static Result<AutoOrDuration> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const AutoOrDuration&, const AutoOrDuration&) = default;
};

}  // namespace margay::model
