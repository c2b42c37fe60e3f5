// IpSetDriver::Round: one pass over the sets that are due, for ip_set_driver.cc alone.
//
//   destroy those of another type ─▶ create ─▶ add members ─▶ swap ─▶ delete members
//
// Each step is done for all sets before the next begins, so that it goes out in few system calls, and a set whose step
// failed takes no part in those that follow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/ipset/ip_set_driver.h"
#include "dataplane/ipset/member_writer.h"

namespace margay::ipset {

class IpSetDriver::Round {
 public:
  Round(IpSetDriver& driver, dataplane::ApplyReport& report) : driver_(driver), report_(report) {}
  // Where the kernel is found to be not as it was thought to be, the driver needs a resync afterwards.
  void run();

 private:
  struct Plan {
    Sets::iterator at;
    std::string target;          // the set that is written: itself, or a temporary one
    bool is_other_type = false;  // what is there must be destroyed first
    bool is_new = false;         // the target must be made, and all members written
    bool is_swap = false;
    std::uint32_t member_max = 0;   // of a new one
    std::vector<Member> refused{};  // that the kernel would not take, or not let go
    std::optional<Error> error{};   // why it is not done, or not altogether
    bool is_over = false;           // it takes no part in what follows
  };
  using Picks = bool (*)(const Plan&);
  // `failure`: nullptr if it was done.
  using OnAnswer = void (Round::*)(Plan&, const netlink::Failure* failure);
  using Add = void (Round::*)(netlink::Batch&, const Plan&);

  [[nodiscard]] Plan plan_for(Sets::iterator at);
  [[nodiscard]] std::string temporary_name(const std::string& name);
  // One request for each plan that `picks` chooses. False: the socket failed, all is over.
  bool ask_each(Picks picks, Add add, OnAnswer on_answer);
  bool write_members(MemberChange change);
  void count_refusals(const std::vector<MemberWriter::Refusal>& refusals);
  void add_destroy(netlink::Batch& batch, const Plan& plan);
  void add_create(netlink::Batch& batch, const Plan& plan);
  void add_swap(netlink::Batch& batch, const Plan& plan);
  void on_destroyed(Plan& plan, const netlink::Failure* failure);
  void on_created(Plan& plan, const netlink::Failure* failure);
  void on_swapped(Plan& plan, const netlink::Failure* failure);
  void find_revisions();
  bool go();
  void end(Plan& plan, Error error);
  void note_stale(Plan& plan, Error error);
  void conclude();
  bool transport_failed(const Status& status);

  IpSetDriver& driver_;
  dataplane::ApplyReport& report_;
  std::vector<Plan> plans_;
};

}  // namespace margay::ipset
