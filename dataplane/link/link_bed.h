// LinkBed: a network namespace for the tests of drivers in this folder, with what ip(8) says of it.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/text.h"
#include "base/ip/ids.h"
#include "dataplane/driver/driver.h"
#include "dataplane/netlink/netlink.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "dataplane/netlink/tool_output.h"

namespace margay::link {

inline constexpr TimePoint kStart{};
using Lines = std::vector<std::string>;

class LinkBed {
 public:
  Status enter() {
    MARGAY_ASSIGN_OR_RETURN(netlink::ScratchNamespace space, netlink::ScratchNamespace::enter());
    space_.emplace(std::move(space));
    MARGAY_ASSIGN_OR_RETURN(kernel_, netlink::open_netlink(NETLINK_ROUTE));
    return std::monostate();
  }
  netlink::Netlink& kernel() { return *kernel_; }

  // "" if all of them succeed.
  static std::string run(const char* script) { return netlink::tool_output(script); }
  // What a command prints, trimmed and sorted.
  static Lines lines(const std::string& command) {
    Lines out;
    std::vector<std::string> argv;
    for (const std::string_view word : split(command, ' ')) argv.emplace_back(word);
    const std::string all = netlink::tool_output(argv);
    for (const std::string_view line : split(all, '\n')) {
      if (!trim(line).empty()) out.emplace_back(trim(line));
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  static IfIndex index_of(std::string_view name) {
    const std::string all = lines(concat("ip -o link show ", name)).at(0);
    return IfIndex(parse_number<std::uint32_t>(std::string_view(all).substr(0, all.find(':'))).value_or(0));
  }

  // What failed; none if all is as wanted.
  static Lines apply(dataplane::Driver& driver) {
    Lines out;
    const auto report = driver.apply(kStart);
    for (const auto& failure : report.failures) out.push_back(concat(failure.object, ": ", failure.error.message));
    if (out.empty() && !report.is_in_sync()) out.emplace_back("not in sync");
    return out;
  }
  // How many it changed, or could not.
  static std::size_t changes(dataplane::Driver& driver) {
    const auto report = driver.apply(kStart);
    return report.updated + report.removed + report.failed;
  }

 private:
  std::optional<netlink::ScratchNamespace> space_;
  std::unique_ptr<netlink::Netlink> kernel_;
};

}  // namespace margay::link
