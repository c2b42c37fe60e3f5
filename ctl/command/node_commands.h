// The part of the table that is about nodes: netctl node status, node checksystem, bgp peers, routes, neighbor,
// support-bundle.
#pragma once

#include <string_view>

#include "ctl/command/spec.h"

namespace margay::command {

inline constexpr std::string_view kNodeOutputs[] = {"table", "json", "yaml"};
inline constexpr std::string_view kNodeWideOutputs[] = {"table", "wide", "json", "yaml"};
inline constexpr Flag kNodeOutputFlag = {.name = "output",
                                         .letter = 'o',
                                         .kind = ValueKind::kChoice,
                                         .value_name = "FORMAT",
                                         .help = "table (for people), json or yaml",
                                         .fallback = "table",
                                         .choices = kNodeOutputs,
                                         .candidates = Candidates::kWords};
inline constexpr Flag kAgentSocketFlag = {
    .name = "socket",
    .kind = ValueKind::kText,
    .value_name = "PATH",
    .help = "ask the agent behind this unix socket (a node's own: /run/margay/node.sock)",
    .candidates = Candidates::kFiles};
inline constexpr Flag kSpeakerSocketFlag = {
    .name = "socket",
    .kind = ValueKind::kText,
    .value_name = "PATH",
    .help = "of margay-node or margay-bgpd (else /run/margay/node.sock, else /run/margay/bgpd.sock)",
    .candidates = Candidates::kFiles};
inline constexpr Flag kWaitFlag = {.name = "wait",
                                   .kind = ValueKind::kDuration,
                                   .value_name = "DURATION",
                                   .help = "how long to wait for the answers of nodes",
                                   .fallback = "10s"};

inline constexpr Flag kNodeStatusFlags[] = {
    kAgentSocketFlag,
    kWaitFlag,
    {.name = "output",
     .letter = 'o',
     .kind = ValueKind::kChoice,
     .value_name = "FORMAT",
     .help = "table, wide (all peers of all nodes), json or yaml",
     .fallback = "table",
     .choices = kNodeWideOutputs,
     .candidates = Candidates::kWords},
};
inline constexpr Flag kNodeChecksystemFlags[] = {kNodeOutputFlag};
inline constexpr Flag kBgpPeersFlags[] = {kSpeakerSocketFlag, kNodeOutputFlag};
inline constexpr Flag kBgpRoutesFlags[] = {
    {.name = "peer", .kind = ValueKind::kText, .value_name = "IP", .help = "only routes of this peer"},
    {.name = "received", .help = "as they came from --peer, those that were rejected too"},
    {.name = "advertised", .help = "as they are told to --peer"},
    {.name = "longer", .help = "the prefixes inside of PREFIX too"},
    kSpeakerSocketFlag,
    kNodeOutputFlag,
};
inline constexpr Flag kBundleFlags[] = {
    {.name = "output-file",
     .kind = ValueKind::kText,
     .value_name = "FILE",
     .help = "where the archive goes (else netctl-bundle-TIME.tar.gz here)",
     .candidates = Candidates::kFiles},
    {.name = "no-logs", .help = "without the logs of this machine"},
    kAgentSocketFlag,
    kWaitFlag,
};
inline constexpr Argument kNodeStatusArguments[] = {{.name = "NODE",
                                                     .help = "these nodes; without, all",
                                                     .is_repeated = true,
                                                     .candidates = Candidates::kObjects,
                                                     .kind = "nodes"}};
inline constexpr Argument kBgpRoutesArguments[] = {
    {.name = "PREFIX", .help = "only this prefix; of an address, those that hold it"}};
inline constexpr Argument kBgpNeighborArguments[] = {
    {.name = "PEER", .help = "address of the peer", .is_required = true}};

inline constexpr FlagGroup kNodeStatus[] = {kNodeStatusFlags};
inline constexpr FlagGroup kNodeChecksystem[] = {kNodeChecksystemFlags};
inline constexpr FlagGroup kBgpPeers[] = {kBgpPeersFlags};
inline constexpr FlagGroup kBgpRoutes[] = {kBgpRoutesFlags};
inline constexpr FlagGroup kBundle[] = {kBundleFlags};

inline constexpr Example kNodeStatusExamples[] = {
    {"All nodes, and the peers that are not up", "% node status"},
    {"One of them, with all its peers", "% node status worker-1"},
    {"On the node itself, without an API server", "% node status --socket /run/margay/node.sock"},
    {"For a script", "% node status -o json"},
};
inline constexpr Example kNodeChecksystemExamples[] = {{"Can this machine be a node?", "% node checksystem"}};
inline constexpr Example kNodeExamples[] = {
    {"How all nodes fare", "% node status"},
    {"Can this machine be a node?", "% node checksystem"},
};
inline constexpr Example kBgpPeersExamples[] = {
    {"The sessions of this node", "% bgp peers"},
    {"Of a margay-bgpd", "% bgp peers --socket /run/margay/bgpd.sock"},
};
inline constexpr Example kBgpRoutesExamples[] = {
    {"All routes, with all their paths", "% bgp routes"},
    {"Where an address leads, and why", "% bgp routes 192.168.3.7"},
    {"A pool and what is inside of it", "% bgp routes 192.168.0.0/16 --longer"},
    {"What a peer said, and what it is told",
     "% bgp routes --peer 192.0.2.1 --received; % bgp routes --peer 192.0.2.1 --advertised"},
};
inline constexpr Example kBgpNeighborExamples[] = {{"All that is known of a session", "% bgp neighbor 192.0.2.1"}};
inline constexpr Example kBgpExamples[] = {
    {"The sessions of this node", "% bgp peers"},
    {"Where an address leads, and why", "% bgp routes 192.168.3.7"},
};
inline constexpr Example kBundleExamples[] = {
    {"Of the cluster, and of this node if it is one", "% support-bundle"},
    {"Into a file of that name", "% support-bundle --output-file /tmp/case-7.tar.gz"},
};
inline constexpr std::string_view kBundleAliases[] = {"diags"};
inline constexpr std::string_view kNeighborAliases[] = {"neighbour"};
inline constexpr std::string_view kSpeakerText =
    "Asks the margay-node or margay-bgpd of this machine, by its unix socket; needs root as a rule.";

inline constexpr Spec kNodeCommands[] = {
    {.id = CommandId::kNodeStatus,
     .word = "status",
     .summary = "Show how nodes fare: agent, BGP sessions, dataplane, tunnels",
     .description = "Asks the agents through the API server: makes a CalicoNodeStatus for each node, waits until it is "
                    "filled and removes it again. With --socket, or where no API server is configured, asks the agent "
                    "of this machine.\nExit code 0 when all is well, 3 when a node does not answer, is not ready, has "
                    "failures, or has a peer that is not up.",
     .arguments = kNodeStatusArguments,
     .flags = kNodeStatus,
     .examples = kNodeStatusExamples},
    {.id = CommandId::kNodeChecksystem,
     .word = "checksystem",
     .summary = "Check what this machine's kernel and tools can do",
     .description =
         "Does what a node does, in a network namespace that nobody sees and that ends with the check; needs "
         "root.\nExit code 0 when all is there, 3 when something is missing that a node can do without, 1 "
         "when a node cannot work.",
     .flags = kNodeChecksystem,
     .examples = kNodeChecksystemExamples},
};
inline constexpr Spec kBgpCommands[] = {
    {.id = CommandId::kBgpPeers,
     .word = "peers",
     .summary = "Show the BGP sessions of this machine",
     .description = "Asks the margay-node or margay-bgpd of this machine, by its unix socket; needs root as a rule.\n"
                    "Exit code 3 when a session is not established.",
     .flags = kBgpPeers,
     .examples = kBgpPeersExamples},
    {.id = CommandId::kBgpRoutes,
     .word = "routes",
     .summary = "Show routes: the best, and why others are not",
     .description = "Asks the margay-node or margay-bgpd of this machine, by its unix socket; needs root as a rule.\n"
                    "Marks: > the best, * used beside it, s stale, x rejected by a filter.",
     .arguments = kBgpRoutesArguments,
     .flags = kBgpRoutes,
     .examples = kBgpRoutesExamples},
    {.id = CommandId::kBgpNeighbor,
     .word = "neighbor",
     .aliases = kNeighborAliases,
     .summary = "Show all that is known of one BGP session",
     .description = kSpeakerText,
     .arguments = kBgpNeighborArguments,
     .flags = kBgpPeers,
     .examples = kBgpNeighborExamples},
};

}  // namespace margay::command
