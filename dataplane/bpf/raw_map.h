// RawMap: keys and values of a BPF map as bytes; KernelMap is the real one, a fake with state stands behind it in
// tests. Thread: one at a time; the programs in the kernel read and write beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "base/core/result.h"

namespace margay::bpf {

using ByteView = std::span<const std::byte>;

class RawMap {
 public:
  virtual ~RawMap() = default;
  // `count` keys and values, back to back. After an error some of them may be written.
  virtual Status put(ByteView keys, ByteView values, std::uint32_t count) = 0;
  // What is absent is as good as removed.
  virtual Status remove(ByteView key) = 0;
  virtual Status walk(const std::function<void(ByteView key, ByteView value)>& visit) = 0;
};

class KernelMap final : public RawMap {
 public:
  // `fd` stays the caller's. Values of maps with one for each CPU are handed out one after the other, each of a
  // multiple of 8 bytes, and cannot be put.
  static Result<KernelMap> of(int fd);

  Status put(ByteView keys, ByteView values, std::uint32_t count) override;
  Status remove(ByteView key) override;
  Status walk(const std::function<void(ByteView key, ByteView value)>& visit) override;

 private:
  KernelMap(int fd, std::size_t key_bytes, std::size_t value_bytes)
      : fd_(fd), key_bytes_(key_bytes), value_bytes_(value_bytes) {}
  int fd_;
  std::size_t key_bytes_;
  std::size_t value_bytes_;  // of all CPUs
};

}  // namespace margay::bpf
