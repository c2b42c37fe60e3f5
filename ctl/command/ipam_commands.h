// The part of the table that is about addresses: netctl ipam.
#pragma once

#include <string_view>

#include "ctl/command/spec.h"

namespace margay::command {

inline constexpr std::string_view kIpamOutputs[] = {"table", "json"};
inline constexpr Flag kIpamOutputFlag = {.name = "output",
                                         .letter = 'o',
                                         .kind = ValueKind::kChoice,
                                         .value_name = "FORMAT",
                                         .help = "table (for people) or json",
                                         .fallback = "table",
                                         .choices = kIpamOutputs,
                                         .candidates = Candidates::kWords};

inline constexpr Flag kIpamShowFlags[] = {
    {.name = "ip", .kind = ValueKind::kText, .value_name = "IP", .help = "who has this address, and since when"},
    {.name = "show-blocks", .help = "the blocks of each pool as well"},
    {.name = "show-borrowed", .help = "addresses given out of another node's block"},
    {.name = "show-configuration", .help = "the settings of address management"},
    kIpamOutputFlag,
};
inline constexpr Flag kIpamCheckFlags[] = {
    {.name = "show-all-ips", .help = "each address that is given, and to whom"},
    {.name = "show-problem-ips", .help = "what is always shown", .is_hidden = true},
    {.name = "output",
     .letter = 'o',
     .kind = ValueKind::kText,
     .value_name = "FORMAT|FILE",
     .help = "table (for people), json, or a file NAME.json that the report is written to besides",
     .fallback = "table",
     .choices = kIpamOutputs,
     .candidates = Candidates::kFiles},
};
inline constexpr Flag kIpamReleaseFlags[] = {
    {.name = "ip", .kind = ValueKind::kTexts, .value_name = "IP", .help = "this address; may be repeated"},
    {.name = "from-report",
     .kind = ValueKind::kTexts,
     .value_name = "FILE",
     .help = "the leaked addresses of a report of ipam check; may be repeated",
     .candidates = Candidates::kFiles},
    {.name = "force", .help = "nothing: no lock is needed, so there is none to pass over", .is_hidden = true},
    kIpamOutputFlag,
};
inline constexpr Flag kIpamSplitFlags[] = {
    {.name = "name", .kind = ValueKind::kText, .value_name = "POOL", .help = "the pool, by its name"},
    {.name = "cidr", .kind = ValueKind::kText, .value_name = "CIDR", .help = "the pool, by its CIDR"},
    {.name = "dry-run", .help = "only show what would be made"},
    kIpamOutputFlag,
};
inline constexpr Flag kIpamExplainFlags[] = {kIpamOutputFlag};
inline constexpr Flag kIpamConfigureFlags[] = {
    {.name = "strictaffinity",
     .alias = "strict-affinity",
     .kind = ValueKind::kText,
     .value_name = "true|false",
     .help = "nodes give addresses out of their own blocks only"},
    {.name = "max-blocks-per-host",
     .kind = ValueKind::kText,
     .value_name = "N",
     .help = "how many blocks a node may have; 0: 20"},
    {.name = "ip-cooldown-seconds",
     .kind = ValueKind::kText,
     .value_name = "N",
     .help = "how long an address rests before it is given again; 0 to 1200"},
    {.name = "kubevirt-ip-persistence",
     .kind = ValueKind::kText,
     .value_name = "Enabled|Disabled",
     .help = "whether a KubeVirt virtual machine keeps its address when its pod is replaced"},
    kIpamOutputFlag,
};
inline constexpr Argument kIpamSplitArguments[] = {
    {.name = "NUMBER", .help = "how many pools it becomes; a power of two", .is_required = true}};
inline constexpr Argument kIpamExplainArguments[] = {
    {.name = "TARGET", .help = "an address, a pod, or NAMESPACE/POD", .is_required = true}};
inline constexpr FlagGroup kIpamShow[] = {kIpamShowFlags};
inline constexpr FlagGroup kIpamCheck[] = {kIpamCheckFlags};
inline constexpr FlagGroup kIpamRelease[] = {kIpamReleaseFlags};
inline constexpr FlagGroup kIpamConfigure[] = {kIpamConfigureFlags};
inline constexpr FlagGroup kIpamSplit[] = {kIpamSplitFlags};
inline constexpr FlagGroup kIpamExplain[] = {kIpamExplainFlags};
inline constexpr Example kIpamShowExamples[] = {
    {"How full the pools are", "% ipam show"},
    {"And their blocks", "% ipam show --show-blocks"},
    {"Who has an address", "% ipam show --ip 192.168.3.7"},
};
inline constexpr Example kIpamCheckExamples[] = {
    {"What is wrong", "% ipam check"},
    {"And give back what leaked", "% ipam check -o report.json; % ipam release --from-report report.json"},
};
inline constexpr Example kIpamReleaseExamples[] = {{"One address", "% ipam release --ip 192.168.3.7"}};
inline constexpr Example kIpamConfigureExamples[] = {{"No borrowing", "% ipam configure --strictaffinity=true"}};
inline constexpr Example kIpamSplitExamples[] = {{"Four pools of one", "% ipam split 4 --name default-ipv4-ippool"}};
inline constexpr Example kIpamExplainExamples[] = {
    {"Whose an address is, and whether that is right", "% ipam explain 192.168.3.7"},
    {"From which pools a pod gets its addresses, and why not from the others", "% ipam explain shop/web-0"},
};
inline constexpr Example kIpamExamples[] = {
    {"How full the pools are", "% ipam show"},
    {"What leaked, and what contradicts itself", "% ipam check"},
};
inline constexpr Spec kIpamCommands[] = {
    {.id = CommandId::kIpamShow,
     .word = "show",
     .summary = "Show pools, blocks, addresses and settings",
     .description = "Without flags a line for each pool: addresses in all, in use, reserved, free.",
     .flags = kIpamShow,
     .examples = kIpamShowExamples},
    {.id = CommandId::kIpamCheck,
     .word = "check",
     .summary = "Hold blocks, handles, pods and nodes against each other",
     .description = "Addresses that leaked, are used without being given, or lie outside of pools; handles and "
                    "affinities that lead nowhere. Exit code 1 when there is a problem.",
     .flags = kIpamCheck,
     .examples = kIpamCheckExamples},
    {.id = CommandId::kIpamRelease,
     .word = "release",
     .summary = "Release addresses that nobody uses",
     .description = "An address that was given again since the report is left alone: handle and sequence number must "
                    "be those of the report.",
     .flags = kIpamRelease,
     .examples = kIpamReleaseExamples},
    {.id = CommandId::kIpamConfigure,
     .word = "configure",
     .summary = "Change the settings of address management",
     .description = "Writes IPAMConfiguration default; what is not named stays.",
     .flags = kIpamConfigure,
     .examples = kIpamConfigureExamples},
    {.id = CommandId::kIpamSplit,
     .word = "split",
     .summary = "Make several pools of one",
     .description = "The new pools are made with the settings of the old one, which is removed last: addresses, blocks "
                    "and traffic are not touched, and nothing has to be locked. Interrupted, it may be run again.",
     .arguments = kIpamSplitArguments,
     .flags = kIpamSplit,
     .examples = kIpamSplitExamples},
    {.id = CommandId::kIpamExplain,
     .word = "explain",
     .summary = "Say why an address is where it is, or from where a pod gets one",
     .description = "Of an address: pool, block, who was given it, who uses it. Of a pod: what its annotations ask "
                    "for, which pools fit and why the others do not, and what its node has left.",
     .arguments = kIpamExplainArguments,
     .flags = kIpamExplain,
     .examples = kIpamExplainExamples},
};

}  // namespace margay::command
