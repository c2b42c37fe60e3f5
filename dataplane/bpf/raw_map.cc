#include "dataplane/bpf/raw_map.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <cerrno>
#include <vector>

#include "base/core/check.h"
#include "base/core/text.h"
#include "dataplane/netlink/netlink.h"

namespace margay::bpf {
namespace {

using netlink::error_of;

bool is_for_each_cpu(std::uint32_t type) {
  return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

}  // namespace

Result<KernelMap> KernelMap::of(int fd) {
  bpf_map_info info{};
  __u32 size = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0) return error_of(errno, "bpf map");
  std::size_t value_bytes = info.value_size;
  if (is_for_each_cpu(info.type)) {
    const int cpus = libbpf_num_possible_cpus();
    if (cpus < 1) return error_of(-cpus, "number of CPUs");
    value_bytes = (value_bytes + 7) / 8 * 8 * static_cast<std::size_t>(cpus);
  }
  return KernelMap(fd, info.key_size, value_bytes);
}

Status KernelMap::put(ByteView keys, ByteView values, std::uint32_t count) {
  MARGAY_CHECK(keys.size() == count * key_bytes_ && values.size() == count * value_bytes_);
  bpf_map_batch_opts options{};
  options.sz = sizeof(options);
  __u32 done = count;
  if (count > 1 && bpf_map_update_batch(fd_, keys.data(), values.data(), &done, &options) == 0) return ok_status();
  // One by one, also where this kernel has no batches for this kind of map.
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte* key = keys.data() + i * key_bytes_;
    if (bpf_map_update_elem(fd_, key, values.data() + i * value_bytes_, BPF_ANY) != 0)
      return error_of(errno, "bpf map element");
  }
  return ok_status();
}

Status KernelMap::remove(ByteView key) {
  MARGAY_CHECK(key.size() == key_bytes_);
  if (bpf_map_delete_elem(fd_, key.data()) != 0 && errno != ENOENT) return error_of(errno, "bpf map element");
  return ok_status();
}

Status KernelMap::walk(const std::function<void(ByteView key, ByteView value)>& visit) {
  // Keys first: one that is removed while it is walked over would begin the walk again.
  std::vector<std::vector<std::byte>> keys;
  std::vector<std::byte> key(key_bytes_);
  const void* last = nullptr;
  while (bpf_map_get_next_key(fd_, last, key.data()) == 0) {
    keys.push_back(key);
    last = keys.back().data();
  }
  if (errno != ENOENT) return error_of(errno, "keys of a bpf map");
  std::vector<std::byte> value(value_bytes_);
  for (const auto& each : keys) {
    if (bpf_map_lookup_elem(fd_, each.data(), value.data()) == 0) {
      visit(each, value);
    } else if (errno != ENOENT) {
      return error_of(errno, "bpf map element");
    }
  }
  return ok_status();
}

}  // namespace margay::bpf
