#include "dataplane/bpf/tc.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <cerrno>

#include "base/core/text.h"
#include "dataplane/netlink/netlink.h"

namespace margay::bpf {
namespace {

bpf_tc_hook hook_of(const TcPlace& place) {
  libbpf_set_print(nullptr);  // it would write to stderr what we return
  bpf_tc_hook hook{};
  hook.sz = sizeof(hook);
  hook.ifindex = static_cast<int>(place.interface.value());
  hook.attach_point = place.direction == Direction::kIngress ? BPF_TC_INGRESS : BPF_TC_EGRESS;
  return hook;
}

bpf_tc_opts options_of(const TcPlace& place) {
  bpf_tc_opts options{};
  options.sz = sizeof(options);
  options.handle = place.handle;
  options.priority = place.priority;
  return options;
}

Error failure(int error, const TcPlace& place) {
  const char* direction = place.direction == Direction::kIngress ? "ingress" : "egress";
  return netlink::error_of(error, concat("tc ", direction, " of interface ", place.interface.value()));
}

// No filter, no filters of that priority (EINVAL: "cannot find specified filter chain", no clsact), no interface.
bool is_absent(int error) { return error == ENOENT || error == EINVAL || error == ENODEV; }

}  // namespace

Result<std::optional<std::uint32_t>> program_at(const TcPlace& place) {
  const bpf_tc_hook hook = hook_of(place);
  bpf_tc_opts options = options_of(place);
  const int failed = bpf_tc_query(&hook, &options);
  if (failed == 0) return std::optional<std::uint32_t>(options.prog_id);
  if (is_absent(-failed)) return std::optional<std::uint32_t>();
  return failure(-failed, place);
}

Status make_hook(IfIndex interface) {
  const TcPlace place{.interface = interface};
  bpf_tc_hook hook = hook_of(place);
  hook.attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
  const int made = bpf_tc_hook_create(&hook);
  return made == 0 || made == -EEXIST ? ok_status() : failure(-made, place);
}

Status attach(const TcPlace& place, int program) {
  MARGAY_RETURN_IF_ERROR(make_hook(place.interface));
  const bpf_tc_hook hook = hook_of(place);
  bpf_tc_opts options = options_of(place);
  options.prog_fd = program;
  options.flags = BPF_TC_F_REPLACE;
  const int failed = bpf_tc_attach(&hook, &options);
  if (failed != 0) return failure(-failed, place);
  return ok_status();
}

Status detach(const TcPlace& place) {
  const bpf_tc_hook hook = hook_of(place);
  const bpf_tc_opts options = options_of(place);
  const int failed = bpf_tc_detach(&hook, &options);
  if (failed != 0 && !is_absent(-failed)) return failure(-failed, place);
  return ok_status();
}

}  // namespace margay::bpf
