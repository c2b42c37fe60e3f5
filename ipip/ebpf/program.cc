#include "ipip/ebpf/program.h"

namespace margay::ipip {

Result<bpf::Object> load_tunnel(const bpf::Maps& maps) { return bpf::Object::load("ipip", tunnel_program(), maps); }

Result<bpf::KernelMap> open_map(const bpf::Object& object, const char* name) {
  MARGAY_ASSIGN_OR_RETURN(const int fd, object.map(name));
  return bpf::KernelMap::of(fd);
}

}  // namespace margay::ipip
