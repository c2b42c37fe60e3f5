// The compiled programs of tunnel.bpf.c, embedded at build time (cmake/MargayBpf.cmake).
#pragma once

#include <cstdint>
#include <span>

#include "base/core/result.h"
#include "dataplane/bpf/object.h"
#include "dataplane/bpf/raw_map.h"

namespace margay::ipip {

std::span<const std::uint8_t> tunnel_program();
// Loaded, with the maps that fit taken over.
Result<bpf::Object> load_tunnel(const bpf::Maps& maps = {});
Result<bpf::KernelMap> open_map(const bpf::Object& object, const char* name);

}  // namespace margay::ipip
