#include "ipip/devices/ipip_choice.h"

#include <gtest/gtest.h>

#include "dataplane/netlink/scratch_namespace.h"
#include "dataplane/netlink/tool_output.h"

namespace margay::ipip {
namespace {

constexpr auto kNone = IpipImplementation::kNone;
constexpr auto kKernel = IpipImplementation::kKernel;
constexpr auto kEbpf = IpipImplementation::kEbpf;

TEST(IpipChoice, WhatIsAskedForIsNotReplaced) {
  const Status works = ok_status();
  const Status fails = Error{ErrorCode::kUnsupported, "no"};
  struct Row {
    const char* why;
    std::optional<IpipImplementation> wanted;
    bool kernel, ebpf;
    IpipImplementation chosen;
  };
  const Row rows[] = {
      {"both work", std::nullopt, true, true, kKernel},
      {"only eBPF", std::nullopt, false, true, kEbpf},
      {"neither", std::nullopt, false, false, kNone},
      {"eBPF on request", kEbpf, true, true, kEbpf},
      {"not there", kEbpf, true, false, kNone},
      {"kernel on request", kKernel, true, true, kKernel},
      {"not in this kernel", kKernel, false, true, kNone},
      {"off", kNone, true, true, kNone},
  };
  for (const Row& row : rows) {
    const IpipChoice choice = choose_ipip(row.wanted, row.kernel ? works : fails, row.ebpf ? works : fails);
    EXPECT_EQ(choice.implementation, row.chosen) << row.why;
    EXPECT_FALSE(choice.why.empty()) << row.why;
  }
  EXPECT_EQ(choose_ipip({}, fails, fails).why, "the kernel's ipip device: no; eBPF: no");
}

TEST(IpipChoice, TheTrialAgreesWithTheToolAndLeavesNothing) {
  auto space = netlink::ScratchNamespace::enter();
  if (!space.ok()) GTEST_SKIP() << "needs root: " << space.error().message;
  const Status tried = try_kernel_ipip();
  const std::string by_tool = netlink::tool_output("ip link add probe type ipip local 192.0.2.1");
  EXPECT_EQ(tried.ok(), by_tool.empty()) << by_tool;
  if (tried.ok()) return;
  EXPECT_EQ(tried.error().code, ErrorCode::kUnsupported) << tried.error().message;
  EXPECT_NE(netlink::tool_output("ip link show tunl0"), "");
}

}  // namespace
}  // namespace margay::ipip
