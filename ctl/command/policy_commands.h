// The part of the table that is about policy: netctl policy eval and lint.
#pragma once

#include <string_view>

#include "ctl/command/file_flags.h"
#include "ctl/command/spec.h"

namespace margay::command {

inline constexpr std::string_view kPolicyOutputs[] = {"table", "json", "junit"};
inline constexpr std::string_view kProtocols[] = {"TCP", "UDP", "SCTP", "ICMP"};
inline constexpr std::string_view kVerdicts[] = {"allow", "deny"};
inline constexpr Flag kPolicyOutputFlag = {.name = "output",
                                           .letter = 'o',
                                           .kind = ValueKind::kChoice,
                                           .value_name = "FORMAT",
                                           .help = "table (for people), json or junit (for CI)",
                                           .fallback = "table",
                                           .choices = kPolicyOutputs,
                                           .candidates = Candidates::kWords};

inline constexpr Flag kPolicyEvalFlags[] = {
    {.name = "from",
     .kind = ValueKind::kText,
     .value_name = "NS/POD|IP",
     .help = "who opens the connection: a pod, or an address"},
    {.name = "to", .kind = ValueKind::kText, .value_name = "NS/POD|IP", .help = "whom to"},
    {.name = "port",
     .kind = ValueKind::kText,
     .value_name = "N|NAME",
     .help = "which port, or the name of a port of --to"},
    {.name = "protocol",
     .kind = ValueKind::kText,
     .value_name = "TCP|UDP|SCTP|ICMP",
     .help = "which protocol",
     .fallback = "TCP",
     .choices = kProtocols,
     .candidates = Candidates::kWords},
    {.name = "matrix", .help = "every pod to every other instead of one question"},
    {.name = "ports",
     .kind = ValueKind::kTexts,
     .value_name = "TCP/80,UDP/81",
     .help = "with --matrix: the ports to ask for (else those that the pods declare)"},
    {.name = "include-ip",
     .kind = ValueKind::kTexts,
     .value_name = "IP",
     .help = "with --matrix: an address outside as well; may be repeated"},
    {.name = "expect",
     .kind = ValueKind::kChoice,
     .value_name = "ANSWER",
     .help = "exit code 1 unless every answer is this one",
     .choices = kVerdicts,
     .candidates = Candidates::kWords},
    kPolicyOutputFlag,
};

inline constexpr Flag kPolicyLintFlags[] = {
    kPolicyOutputFlag,
};

inline constexpr FlagGroup kPolicyEval[] = {kFileFlags, kPolicyEvalFlags};
inline constexpr FlagGroup kPolicyLint[] = {kFileFlags, kPolicyLintFlags};
inline constexpr Example kPolicyEvalExamples[] = {
    {"May the web shop talk to its database?", "% policy eval --from shop/web --to shop/db --port 5432"},
    {"The same from files, before they are applied",
     "% policy eval -f cluster/ --from shop/web --to shop/db --port 5432"},
    {"From outside, to a named port", "% policy eval --from 203.0.113.7 --to shop/web --port http"},
    {"Everything to everything", "% policy eval -f cluster/ --matrix --ports TCP/80,UDP/53 --include-ip 8.8.8.8"},
};
inline constexpr Example kPolicyExamples[] = {
    {"May A talk to B, and why", "% policy eval --from shop/web --to shop/db --port 5432"},
    {"What is probably not meant", "% policy lint -R -f cluster/"},
};
inline constexpr Example kPolicyLintExamples[] = {
    {"The policies of the cluster", "% policy lint"},
    {"Those of a directory, as a report for CI", "% policy lint -R -f cluster/ -o junit"},
};
inline constexpr Spec kPolicyCommands[] = {
    {.id = CommandId::kPolicyEval,
     .word = "eval",
     .summary = "Answer whether A may talk to B, and why",
     .description =
         "Calculates what policies do to a new connection, as the nodes would: policies of Kubernetes and Calico with "
         "their tiers. With -f from files (Namespaces, Nodes, Pods with status.podIP, policies, sets, …), which need "
         "no "
         "server; else from the cluster.\nOne question shows the way to the answer; --matrix a grid.",
     .flags = kPolicyEval,
     .examples = kPolicyEvalExamples},
    {.id = CommandId::kPolicyLint,
     .word = "lint",
     .summary = "Find what is probably not meant in policies",
     .description =
         "Selectors that match nothing, rules that are never reached, references that lead nowhere, DNS that "
         "is not allowed, ports of Services where ports of pods are meant, and the like. Exit code 1 when a "
         "finding is an error; warnings and remarks leave it at 0.",
     .flags = kPolicyLint,
     .examples = kPolicyLintExamples},
};

}  // namespace margay::command
