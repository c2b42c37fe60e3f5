// MemberWriter: members into, or out of, many sets in few messages and few system calls. Those of a message that the
// kernel refused are sent again one by one, so that each refusal names its member and no other member suffers.
// Used up after finish().
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "dataplane/ipset/ip_set_message.h"
#include "dataplane/ipset/member_delta.h"
#include "dataplane/netlink/netlink.h"

namespace margay::ipset {

class MemberWriter {
 public:
  struct Refusal {
    std::size_t owner = 0;         // as given to write()
    std::optional<Member> member;  // nullopt: the set itself is not as it was thought to be (gone, full)
    Error error;
  };

  MemberWriter(netlink::Netlink& kernel, const IpSetMessages& messages, MemberChange change)
      : kernel_(kernel), messages_(messages), change_(change) {}

  // An error is one of the socket: what was written is not known.
  Status write(std::size_t owner, const std::string& name, const SetSpec& spec, const Members& members);
  Result<std::vector<Refusal>> finish();

 private:
  // The members of one message.
  struct Slice {
    std::size_t owner;
    std::string name;
    SetSpec spec;
    std::vector<Member> members;
  };

  Status flush();
  Status retry(const std::vector<const Slice*>& failed);

  netlink::Netlink& kernel_;
  const IpSetMessages& messages_;
  MemberChange change_;
  netlink::Batch batch_;
  std::vector<Slice> slices_;  // of the batch
  std::vector<Refusal> refusals_;
};

}  // namespace margay::ipset
