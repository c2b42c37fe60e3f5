// Object: a compiled BPF object (programs and maps) loaded into the kernel. Its programs and maps live as long as it,
// and beyond that as long as something of the kernel uses them: a filter its program, a program its maps.
//
// No bpffs is needed and nothing is pinned: what an earlier life of the agent left attached is found at the interface
// (tc.h) and its maps through the program (maps_of).
//
// Thread: any, one at a time. Needs CAP_BPF and CAP_NET_ADMIN; maps_of needs CAP_SYS_ADMIN. Source: libbpf,
// linux/bpf.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/core/result.h"

namespace margay::bpf {

// A descriptor that is closed with the object.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;  // -1: none
};

// Maps by name.
using Maps = std::map<std::string, Fd>;

class Object {
 public:
  // `name` is for messages. A map of `maps` that has the name and the form of one of the object's takes its place, with
  // what is in it. An error carries the end of what the verifier said.
  static Result<Object> load(const std::string& name, std::span<const std::uint8_t> bytes, const Maps& maps = {});
  Object(Object&& other) noexcept;
  Object& operator=(Object&&) = delete;
  ~Object();

  // Descriptors; the object keeps them. kNotFound: the object has none of that name, which is our own mistake.
  [[nodiscard]] Result<int> program(const char* name) const;
  [[nodiscard]] Result<int> map(const char* name) const;

 private:
  class Impl;
  explicit Object(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Of a program in the kernel.
Result<std::uint32_t> id_of(int program);
Result<Fd> program_by_id(std::uint32_t id);
struct LoadedProgram {
  std::string name;  // the first 15 characters
  std::vector<std::uint32_t> maps;
};
Result<LoadedProgram> loaded_program(std::uint32_t id);
// kPermissionDenied without CAP_SYS_ADMIN.
Result<Maps> maps_of(const LoadedProgram& program);

// Runs the program once on a packet (BPF_PROG_TEST_RUN), which goes nowhere. For probes and tests.
struct TestRun {
  std::uint32_t verdict = 0;  // TC_ACT_…
  std::vector<std::uint8_t> packet;
};
struct TestPacket {
  std::span<const std::uint8_t> bytes;  // from the Ethernet header
  std::uint32_t gso_size = 0;
};
Result<TestRun> test_run(int program, const TestPacket& packet);

}  // namespace margay::bpf
