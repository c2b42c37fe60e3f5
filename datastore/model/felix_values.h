// Words and small structs of FelixConfiguration; those of the eBPF dataplane are in felix_bpf.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/core/time.h"
#include "base/ip/port.h"
#include "base/ip/prefix.h"
#include "datastore/model/enum.h"
#include "datastore/model/values.h"

namespace margay::model {

enum class EndpointToHostAction { kDrop, kAccept, kReturn };
template <>
struct EnumText<EndpointToHostAction> {
  static constexpr std::string_view kWords[] = {"Drop", "Accept", "Return"};
  static constexpr bool kAnyCase = true;
};

enum class SourceSpoofing { kDisabled, kAny };
template <>
struct EnumText<SourceSpoofing> {
  static constexpr std::string_view kWords[] = {"Disabled", "Any"};
  static constexpr bool kAnyCase = true;
};

enum class AwsSrcDstCheck { kDoNothing, kEnable, kDisable };
template <>
struct EnumText<AwsSrcDstCheck> {
  static constexpr std::string_view kWords[] = {"DoNothing", "Enable", "Disable"};
};

enum class IptablesBackend { kAuto, kLegacy, kNft };
template <>
struct EnumText<IptablesBackend> {
  static constexpr std::string_view kWords[] = {"Auto", "Legacy", "NFT"};
  static constexpr bool kAnyCase = true;
};

enum class NftablesMode { kDisabled, kEnabled, kAuto };
template <>
struct EnumText<NftablesMode> {
  static constexpr std::string_view kWords[] = {"Disabled", "Enabled", "Auto"};
};

enum class ChainInsertMode { kInsert, kAppend };
template <>
struct EnumText<ChainInsertMode> {
  static constexpr std::string_view kWords[] = {"Insert", "Append"};
  static constexpr bool kAnyCase = true;
};

enum class AllowAction { kAccept, kReturn };
template <>
struct EnumText<AllowAction> {
  static constexpr std::string_view kWords[] = {"Accept", "Return"};
  static constexpr bool kAnyCase = true;
};

enum class DenyAction { kDrop, kReject };
template <>
struct EnumText<DenyAction> {
  static constexpr std::string_view kWords[] = {"Drop", "Reject"};
  static constexpr bool kAnyCase = true;
};

enum class ServiceLoopPrevention { kDrop, kReject, kDisabled };
template <>
struct EnumText<ServiceLoopPrevention> {
  static constexpr std::string_view kWords[] = {"Drop", "Reject", "Disabled"};
  static constexpr bool kAnyCase = true;
};

enum class FlowTableOffload { kAll, kDisabled };
template <>
struct EnumText<FlowTableOffload> {
  static constexpr std::string_view kWords[] = {"All", "Disabled"};
};

enum class NatOutgoingExclusions { kIpPoolsOnly, kIpPoolsAndHostIps };
template <>
struct EnumText<NatOutgoingExclusions> {
  static constexpr std::string_view kWords[] = {"IPPoolsOnly", "IPPoolsAndHostIPs"};
};

enum class RouteSource { kWorkloadIps, kCalicoIpam };
template <>
struct EnumText<RouteSource> {
  static constexpr std::string_view kWords[] = {"WorkloadIPs", "CalicoIPAM"};
  static constexpr bool kAnyCase = true;
};

enum class LocalSubnetReachability { kDisabled, kPodsAndLoadBalancers };
template <>
struct EnumText<LocalSubnetReachability> {
  static constexpr std::string_view kWords[] = {"Disabled", "PodsAndLoadBalancers"};
};

enum class FlowEvaluationMode { kNone, kContinuous };
template <>
struct EnumText<FlowEvaluationMode> {
  static constexpr std::string_view kWords[] = {"None", "Continuous"};
};

struct HealthTimeoutOverride {
  std::string name;  // of a part of the agent, as its log has it
  Duration timeout{};

  friend bool operator==(const HealthTimeoutOverride&, const HealthTimeoutOverride&) = default;
};

enum class TransportProtocol { kTcp, kUdp, kSctp };
template <>
struct EnumText<TransportProtocol> {
  static constexpr std::string_view kWords[] = {"TCP", "UDP", "SCTP"};
  static constexpr bool kAnyCase = true;
};

// A port that stays open whatever policy says.
struct ProtoPort {
  std::optional<TransportProtocol> protocol;  // TCP
  Port port;
  std::optional<IpPrefix> net;  // of the other end; any

  friend bool operator==(const ProtoPort&, const ProtoPort&) = default;
};

struct RouteTableIdRange {
  std::int64_t min = 0;
  std::int64_t max = 0;

  friend bool operator==(const RouteTableIdRange&, const RouteTableIdRange&) = default;
};

}  // namespace margay::model
