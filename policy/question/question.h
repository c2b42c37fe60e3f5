// Questions about a cluster in the words of whoever asks: "may shop/web talk to 10.0.0.7 on TCP/80?", one or a matrix.
//
// Beyond policy/verdict: names become addresses and endpoints, names of ports numbers; a pod's own node is let in
// whatever policies say, as dataplanes do. Pure; one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "policy/question/cluster.h"
#include "policy/verdict/verdict.h"

namespace margay::policy {

// One end of a connection.
struct End {
  std::string name;                          // as given, or "ns/pod"
  std::vector<IpAddress> addresses;          // one of a family
  std::shared_ptr<const Endpoint> endpoint;  // null: nothing that policy selects
  std::string node;                          // where it runs; of an address of a node: that node; else ""
};

// "ns/pod", a pod of `name_space`, the name of a WorkloadEndpoint, or an address. The error says what there is.
Result<End> find_end(const Cluster& cluster, std::string_view text, std::string_view name_space);

// What is asked for at the destination.
struct Target {
  model::Protocol protocol = model::kProtocolTcp;
  std::optional<model::PortOrName> port;  // none: a protocol without ports

  // "TCP/80", "UDP/dns", "ICMP", "SCTP/7", "80" and "http" for TCP.
  static Result<Target> parse(std::string_view text);
  // The same from flags; empty texts were not given.
  static Result<Target> of(std::string_view protocol, std::string_view port);
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const Target&, const Target&) = default;
};

struct Answered {
  std::string from;
  std::string to;
  Target target;
  Verdict verdict;
  std::string note;                  // why, where no rule, tier or profile decided
  std::optional<ObjectKey> made_of;  // what the deciding policy was translated from
  std::vector<Packet> packets;
};

// The error says why it cannot be asked: the destination has no port of that name.
Result<Answered> ask(const Cluster& cluster, const End& from, const End& to, const Target& target);

constexpr std::size_t kMatrixCellsMax = 1'000'000;

struct Matrix {
  std::vector<End> ends;
  std::vector<Target> targets;
  // One for each pair of different ends of which one is an endpoint, and each target that the destination has; in the
  // order of `ends`, then of `targets`.
  std::vector<Answered> answers;
};

// Every pod with an address, and the addresses given, each to each. Without targets: the ports that pods declare, else
// TCP/80. The error says that it is too large.
Result<Matrix> ask_matrix(const Cluster& cluster, std::vector<Target> targets, const std::vector<IpAddress>& included);

}  // namespace margay::policy
