// ProgrammedPolicies: what a node's agent says of the policies in its kernel: of each kind, up to which resourceVersion
// it has them. An annotation of a Lease of the node, so that a change of a policy costs one small write a node, and of
// many changes at once one in all.
//
//   Lease kube-node-lease/margay-node.NODE   label margay.dev/report=policies
//     margay.dev/programmed-policies: "networkpolicies=1200 globalnetworkpolicies=1187"
//
// Nobody but margay-controllers watches these Leases. Versions are compared as numbers, which Kubernetes allows within
// one kind (API conventions, "Concurrency Control and Consistency"; KEP-5504); where they are none, nothing is said.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "datastore/model/key.h"

namespace margay::model {

inline constexpr std::string_view kReportNamespace = "kube-node-lease";
inline constexpr std::string_view kReportLabel = "margay.dev/report";
inline constexpr std::string_view kReportOfPolicies = "policies";
inline constexpr std::string_view kProgrammedAnnotation = "margay.dev/programmed-policies";
// The Lease says the node's name as its holder; its own name may be cut.
std::string report_name(std::string_view node);

struct ProgrammedPolicies {
  std::uint64_t network = 0;  // NetworkPolicy; 0: none
  std::uint64_t global = 0;   // GlobalNetworkPolicy

  // Of another kind: nullptr.
  [[nodiscard]] std::uint64_t* of(Kind kind);
  [[nodiscard]] const std::uint64_t* of(Kind kind) const;
  [[nodiscard]] std::string to_string() const;
  // nullopt: it cannot be read. Words of other kinds are no error.
  static std::optional<ProgrammedPolicies> parse(std::string_view text);

  friend bool operator==(const ProgrammedPolicies&, const ProgrammedPolicies&) = default;
};

}  // namespace margay::model
