// The part of the table that is about labs: netctl lab up, down, status, apply, exec, connect, matrix, node,
// kubeconfig.
#pragma once

#include <string_view>

#include "ctl/command/file_flags.h"
#include "ctl/command/spec.h"

namespace margay::command {

inline constexpr std::string_view kLabOutputs[] = {"table", "json"};
inline constexpr std::string_view kLabActions[] = {"start", "stop", "kill", "partition", "heal", "add"};
inline constexpr std::string_view kLabServers[] = {"memory", "etcd"};

inline constexpr Flag kLabNameFlags[] = {
    {.name = "name",
     .kind = ValueKind::kText,
     .value_name = "LAB",
     .help = "which lab; several can be up at once",
     .fallback = "lab"},
};
inline constexpr Flag kLabUpFlags[] = {
    {.name = "filename",
     .letter = 'f',
     .alias = "file",
     .kind = ValueKind::kText,
     .value_name = "FILE",
     .help = "the topology: subnets, nodes, routers, objects (else four nodes in two subnets)",
     .candidates = Candidates::kFiles},
    {.name = "apiserver",
     .kind = ValueKind::kText,
     .value_name = "SERVER",
     .help = "memory or etcd: a margay-apiserver; else the kubeconfig of a server that is there, as --kubeconfig",
     .fallback = "memory",
     .choices = kLabServers,
     .candidates = Candidates::kFiles},
    {.name = "node-kubeconfig",
     .kind = ValueKind::kText,
     .value_name = "FILE",
     .help = "that server for the nodes, with the rights of manifests/rbac-node.yaml (else the same)",
     .candidates = Candidates::kFiles},
    {.name = "controllers-kubeconfig",
     .kind = ValueKind::kText,
     .value_name = "FILE",
     .help = "that server for margay-controllers, with theirs (else the same)",
     .candidates = Candidates::kFiles},
};
inline constexpr Flag kLabOutputFlags[] = {
    {.name = "output",
     .letter = 'o',
     .kind = ValueKind::kChoice,
     .value_name = "FORMAT",
     .help = "table (for people) or json",
     .fallback = "table",
     .choices = kLabOutputs,
     .candidates = Candidates::kWords},
};
inline constexpr Argument kLabExecArguments[] = {
    {.name = "POD", .help = "NAMESPACE/POD, POD, node/NODE or node/router", .is_required = true},
    {.name = "COMMAND", .help = "the program and its arguments, after --", .is_required = true, .is_repeated = true},
};
inline constexpr Argument kLabConnectArguments[] = {
    {.name = "FROM", .help = "NAMESPACE/POD, POD, node/NODE or node/router", .is_required = true},
    {.name = "TO",
     .help = "POD:PORT or IP:PORT; /UDP after it for UDP; a pod's first port if none",
     .is_required = true},
};
inline constexpr Argument kLabNodeArguments[] = {
    {.name = "ACTION",
     .help = "start, stop or kill its margay-node; partition pulls its cable, heal puts it back; add: a new one",
     .is_required = true,
     .candidates = Candidates::kWords,
     .choices = kLabActions},
    {.name = "NODE", .help = "which node", .is_required = true},
    {.name = "SUBNET", .help = "of add: where"},
};
inline constexpr Argument kLabRelayArguments[] = {
    {.name = "HOST", .help = "of the API server", .is_required = true},
    {.name = "PORT", .help = "there, and on 127.0.0.1 of every node", .is_required = true},
};
inline constexpr FlagGroup kLabName[] = {kLabNameFlags};
inline constexpr FlagGroup kLabUp[] = {kLabNameFlags, kLabUpFlags};
inline constexpr FlagGroup kLabShow[] = {kLabNameFlags, kLabOutputFlags};
inline constexpr FlagGroup kLabApply[] = {kLabNameFlags, kFileFlags};
inline constexpr Example kLabUpExamples[] = {
    {"Four nodes in two subnets, and a router that speaks BGP", "% lab up"},
    {"Another one beside it", "% lab up --name racks -f docs/examples/lab/tor-per-rack.yaml"},
    {"With the API server of a real cluster", "% lab up --kubeconfig admin.yaml"},
};
inline constexpr Example kLabDownExamples[] = {{"Take it down; nothing is left", "% lab down"}};
inline constexpr Example kLabStatusExamples[] = {{"Nodes, their BGP sessions and pods", "% lab status"}};
inline constexpr Example kLabApplyExamples[] = {
    {"Three tiers of pods, and the policy between them", "% lab apply -R -f docs/examples/three-tier"}};
inline constexpr Example kLabExecExamples[] = {
    {"The routes of a pod", "% lab exec shop/web -- ip route"},
    {"The routes of a node", "% lab exec node/node-1 -- ip route"},
};
inline constexpr Example kLabConnectExamples[] = {
    {"May the web pod talk to the database?", "% lab connect shop/web shop/db:5432"}};
inline constexpr Example kLabMatrixExamples[] = {
    {"Who reaches whom, by packets", "% lab matrix"},
    {"The same as policy alone would have it", "% policy eval --matrix --kubeconfig $(% lab kubeconfig)"},
};
inline constexpr Example kLabNodeExamples[] = {
    {"An agent is killed, and comes back", "% lab node kill node-1; % lab node start node-1"},
    {"A cable is pulled", "% lab node partition node-2"},
    {"One more node", "% lab node add node-5 rack-a"},
};
inline constexpr Example kLabKubeconfigExamples[] = {
    {"With kubectl", "export KUBECONFIG=$(% lab kubeconfig); kubectl get pods -A"}};
inline constexpr Example kLabExamples[] = {
    {"A cluster on this machine", "% lab up"},
    {"Pods and policy", "% lab apply -R -f docs/examples/three-tier"},
    {"Who reaches whom", "% lab matrix"},
    {"Gone again", "% lab down"},
};
inline constexpr Spec kLabCommands[] = {
    {.id = CommandId::kLabUp,
     .word = "up",
     .summary = "Bring a lab up",
     .description =
         "Makes a network namespace for each node and router, an API server (in memory, unless --apiserver says "
         "another), margay-node on every node, margay-controllers, and a stand-in for scheduler and kubelets: pods "
         "are namespaces that the real CNI plugin connects, and a built-in server answers on the ports they declare "
         "(80 if none). Returns when every node is ready.\nNeeds root. Nothing leaves the namespaces.",
     .flags = kLabUp,
     .examples = kLabUpExamples},
    {.id = CommandId::kLabDown,
     .word = "down",
     .summary = "Take a lab down",
     .description = "Ends its processes and removes its namespaces and files.",
     .flags = kLabName,
     .examples = kLabDownExamples},
    {.id = CommandId::kLabStatus,
     .word = "status",
     .summary = "Show the nodes of a lab",
     .description = "Exit code 3 when a node is not ready, a session is down or a process has ended.",
     .flags = kLabShow,
     .examples = kLabStatusExamples},
    {.id = CommandId::kLabApply,
     .word = "apply",
     .summary = "Apply files to the API server of a lab",
     .description = "As netctl apply, with the lab's server.",
     .flags = kLabApply,
     .examples = kLabApplyExamples},
    {.id = CommandId::kLabExec,
     .word = "exec",
     .summary = "Run a program in a pod or on a node",
     .description = "The program is this machine's; it runs in the network namespace of the pod or node. Its exit code "
                    "is netctl's.",
     .arguments = kLabExecArguments,
     .flags = kLabName,
     .examples = kLabExecExamples},
    {.id = CommandId::kLabConnect,
     .word = "connect",
     .summary = "Try one connection, with packets",
     .description = "Exit code 1 when there is no answer within 1.5 seconds.",
     .arguments = kLabConnectArguments,
     .flags = kLabName,
     .examples = kLabConnectExamples},
    {.id = CommandId::kLabMatrix,
     .word = "matrix",
     .summary = "Try every connection between pods, with packets",
     .description = "On each port that the receiving pod declares. -o json is the format of netctl policy eval "
                    "--matrix.",
     .flags = kLabShow,
     .examples = kLabMatrixExamples},
    {.id = CommandId::kLabNode,
     .word = "node",
     .summary = "Stop, start or cut off a node",
     .description = "stop ends its margay-node as an upgrade does; kill as a crash. What is in its kernel stays.",
     .arguments = kLabNodeArguments,
     .flags = kLabName,
     .examples = kLabNodeExamples},
    {.id = CommandId::kLabKubeconfig,
     .word = "kubeconfig",
     .summary = "Print the path of the lab's kubeconfig",
     .description = "For kubectl, and netctl's other commands.",
     .flags = kLabName,
     .examples = kLabKubeconfigExamples},
    {.id = CommandId::kLabKeeper,
     .word = "keeper",
     .summary = "What stands in for scheduler and kubelets",
     .description = "Started by lab up.",
     .flags = kLabName,
     .examples = kLabStatusExamples,
     .is_hidden = true},
    {.id = CommandId::kLabRelay,
     .word = "relay",
     .summary = "The nodes' way to an API server on this machine's network",
     .description = "Started by lab up.",
     .arguments = kLabRelayArguments,
     .flags = kLabName,
     .examples = kLabStatusExamples,
     .is_hidden = true},
};

}  // namespace margay::command
