// Attachments: on which interfaces the tunnel's two programs are, and on which they should be; in the network namespace
// of the calling thread. A pair is put and replaced by tc filters of our own place, which outlive the process.
#pragma once

#include <cstddef>
#include <optional>
#include <set>

#include "base/core/result.h"
#include "base/ip/ids.h"
#include "dataplane/bpf/object.h"
#include "dataplane/bpf/tc.h"

namespace margay::ipip {

// Behind programs that want frames as they are on the wire, before those that nobody gave a place (49152).
inline constexpr std::uint32_t kTcPriority = 77;
inline constexpr std::uint32_t kTcHandle = 0x6d617267;
inline constexpr const char* kInProgram = "mgy_ipip_in";
inline constexpr const char* kOutProgram = "mgy_ipip_out";

bpf::TcPlace place_of(IfIndex interface, bpf::Direction direction);

// What an earlier life left in this namespace.
struct FoundAttachments {
  std::set<IfIndex> interfaces;
  bpf::Maps maps;  // of one of the programs
};
// kConflict: our place holds a program that is not ours.
Result<FoundAttachments> find_attachments();

// Both programs off an interface. What is absent is as good as removed.
Status detach_from(IfIndex interface);

class Attachments {
 public:
  struct Programs {
    int in = -1;
    int out = -1;
  };
  // `found`: interfaces that carry programs of an earlier life.
  static Result<Attachments> of(Programs programs, std::set<IfIndex> found);

  // True: others than before.
  bool set(const std::set<IfIndex>& wanted);
  // Each wanted interface carries this object's programs; the first error after all were tried. `changed`: filters
  // written. kUnsupported: the interface has no Ethernet header.
  Status attach(std::size_t& changed);
  // Removes them where they are not wanted.
  Status detach(std::size_t& changed);

 private:
  Attachments(Programs programs, std::uint32_t in_id, std::uint32_t out_id, std::set<IfIndex> found)
      : programs_(programs), in_id_(in_id), out_id_(out_id), there_(std::move(found)) {}
  Status attach_to(IfIndex interface, std::size_t& changed);
  static Status put(const bpf::TcPlace& place, int program, std::uint32_t id, std::size_t& changed);

  Programs programs_;
  std::uint32_t in_id_, out_id_;
  std::set<IfIndex> wanted_, there_;
};

}  // namespace margay::ipip
