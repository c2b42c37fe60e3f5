#include "ctl/command/commands.h"

#include <array>

#include "ctl/command/file_flags.h"
#include "ctl/command/ipam_commands.h"
#include "ctl/command/lab_commands.h"
#include "ctl/command/node_commands.h"
#include "ctl/command/policy_commands.h"

namespace margay::command {
namespace {

using Text = std::string_view;

// Flags --------------------------------------------------------------------------------------------------------------

constexpr Flag kGlobalFlags[] = {
    {.name = "kubeconfig",
     .letter = 'c',
     .alias = "config",
     .kind = ValueKind::kText,
     .value_name = "FILE",
     .help = "connection file (else $KUBECONFIG, else ~/.kube/config, else in-cluster)",
     .candidates = Candidates::kFiles},
    {.name = "context",
     .kind = ValueKind::kText,
     .value_name = "NAME",
     .help = "context of the connection file",
     .candidates = Candidates::kContexts},
    {.name = "server",
     .kind = ValueKind::kText,
     .value_name = "URL",
     .help = "API server: https://HOST:PORT, http://HOST:PORT or unix:///PATH"},
    {.name = "token", .kind = ValueKind::kText, .value_name = "TOKEN", .help = "bearer token for the API server"},
    {.name = "certificate-authority",
     .kind = ValueKind::kText,
     .value_name = "FILE",
     .help = "what the server's certificate is checked with",
     .candidates = Candidates::kFiles},
    {.name = "client-certificate",
     .kind = ValueKind::kText,
     .value_name = "FILE",
     .help = "our certificate",
     .candidates = Candidates::kFiles},
    {.name = "client-key",
     .kind = ValueKind::kText,
     .value_name = "FILE",
     .help = "the key of our certificate",
     .candidates = Candidates::kFiles},
    {.name = "insecure-skip-tls-verify", .help = "do not check the server's certificate: for tests only"},
    {.name = "request-timeout",
     .kind = ValueKind::kDuration,
     .value_name = "DURATION",
     .help = "give up on a request after this long; 0 waits for ever",
     .fallback = "30s"},
    {.name = "namespace",
     .letter = 'n',
     .kind = ValueKind::kText,
     .value_name = "NAME",
     .help = "namespace of the objects (else the context's, else default)",
     .candidates = Candidates::kNamespaces},
    {.name = "no-color", .help = "no colours (also with NO_COLOR set, or when the output is no terminal)"},
    {.name = "verbose",
     .letter = 'v',
     .alias = "v",
     .kind = ValueKind::kLevel,
     .value_name = "LEVEL",
     .help = "say more on standard error: -v requests, -vv their bodies"},
    {.name = "help", .letter = 'h', .help = "show this help"},
    {.name = "allow-version-mismatch",
     .help = "accepted for scripts written for calicoctl; versions may differ anyway",
     .is_hidden = true},
};

constexpr Flag kSelector = {.name = "selector",
                            .letter = 'l',
                            .kind = ValueKind::kText,
                            .value_name = "SELECTOR",
                            .help = "objects with these labels: a=b, a!=b, a, !a, 'a in (b,c)'"};
constexpr Flag kAll = {.name = "all", .help = "every object of the kind in the namespace"};

constexpr Text kDryRunChoices[] = {"none", "client", "server"};
constexpr Text kValidateChoices[] = {"strict", "warn", "ignore", "true", "false"};
constexpr Text kNameOutput[] = {"name"};
constexpr Text kWriteOutputs[] = {"name", "yaml", "json"};

constexpr Flag kDryRunFlags[] = {
    {.name = "dry-run",
     .kind = ValueKind::kChoice,
     .value_name = "MODE",
     .help = "client: check and show what would be sent; server: the server checks, nothing is stored",
     .fallback = "none",
     .bare = "client",
     .choices = kDryRunChoices,
     .candidates = Candidates::kWords},
};

constexpr Flag kWriteFlags[] = {
    {.name = "validate",
     .kind = ValueKind::kChoice,
     .value_name = "MODE",
     .help = "unknown fields are errors (strict), warnings (warn) or left to the server (ignore)",
     .fallback = "strict",
     .bare = "strict",
     .choices = kValidateChoices,
     .candidates = Candidates::kWords},
    {.name = "output",
     .letter = 'o',
     .kind = ValueKind::kText,
     .value_name = "FORMAT",
     .help = "show the objects as the server has them now: name, yaml, json, jsonpath=… (netctl help output)",
     .choices = kWriteOutputs,
     .candidates = Candidates::kWords},
    {.name = "skip-empty", .help = "no error when the files hold no objects"},
};

constexpr Flag kCreateFlags[] = {
    {.name = "skip-exists", .help = "leave objects that exist as they are"},
};

constexpr Text kCascadeChoices[] = {"background", "foreground", "orphan"};
constexpr Flag kDeleteFlags[] = {
    {.name = "ignore-not-found",
     .letter = 's',
     .alias = "skip-not-exists",
     .help = "no error for objects that do not exist"},
    kSelector,
    kAll,
    {.name = "skip-empty", .help = "no error when the files hold no objects"},
    {.name = "grace-period",
     .kind = ValueKind::kText,
     .value_name = "SECONDS",
     .help = "how long a pod has to end; 0: it is deleted at once, whether or not it has ended"},
    {.name = "force", .help = "the same as --grace-period=0"},
    {.name = "now", .help = "the same as --grace-period=1"},
    {.name = "cascade",
     .kind = ValueKind::kChoice,
     .value_name = "HOW",
     .help = "what becomes of objects that belong to it",
     .fallback = "background",
     .bare = "background",
     .choices = kCascadeChoices,
     .candidates = Candidates::kWords},
    {.name = "wait", .help = "--wait=false is what holds: delete does not wait until an object is gone"},
    {.name = "output",
     .letter = 'o',
     .kind = ValueKind::kChoice,
     .value_name = "FORMAT",
     .help = "name: only the names",
     .choices = kNameOutput,
     .candidates = Candidates::kWords},
};

constexpr Flag kGetFlags[] = {
    {.name = "output",
     .letter = 'o',
     .kind = ValueKind::kText,
     .value_name = "FORMAT",
     .help = "table, wide, yaml, json, jsonl, name, jsonpath=…, custom-columns=…, go-template=… (netctl help output)",
     .fallback = "table",
     .candidates = Candidates::kOutputs},
    {.name = "all-namespaces", .letter = 'A', .second_letter = 'a', .help = "objects of every namespace"},
    kSelector,
    {.name = "field-selector",
     .kind = ValueKind::kText,
     .value_name = "SELECTOR",
     .help = "objects with these field values: metadata.name=x, spec.nodeName=x"},
    {.name = "watch", .letter = 'w', .help = "then show each change as it comes, until interrupted"},
    {.name = "watch-only", .help = "as --watch, without the objects there are now"},
    {.name = "no-headers", .help = "tables without their first line"},
    {.name = "show-labels", .help = "a last column with the labels"},
    {.name = "sort-by",
     .kind = ValueKind::kText,
     .value_name = "JSONPATH",
     .help = "order by a field: .spec.order",
     .candidates = Candidates::kNone},
    {.name = "export", .help = "leave out what the server fills in, so that the output can be applied elsewhere"},
    {.name = "ignore-not-found", .help = "no error for objects that do not exist"},
};

constexpr Text kPatchTypes[] = {"strategic", "merge", "json"};
constexpr Flag kPatchFlags[] = {
    {.name = "patch",
     .letter = 'p',
     .kind = ValueKind::kText,
     .value_name = "PATCH",
     .help = "the patch as JSON or YAML"},
    {.name = "patch-file",
     .kind = ValueKind::kText,
     .value_name = "FILE",
     .help = "file that holds the patch; - for standard input",
     .candidates = Candidates::kFiles},
    {.name = "type",
     .letter = 't',
     .kind = ValueKind::kChoice,
     .value_name = "TYPE",
     .help = "merge (RFC 7386), json (RFC 6902), strategic (as merge for kinds without list keys)",
     .fallback = "strategic",
     .choices = kPatchTypes,
     .candidates = Candidates::kWords},
    {.name = "output",
     .letter = 'o',
     .kind = ValueKind::kText,
     .value_name = "FORMAT",
     .help = "show the object as it is now: name, yaml, json, …",
     .choices = kWriteOutputs,
     .candidates = Candidates::kWords},
};

constexpr Flag kLabelFlags[] = {
    {.name = "overwrite", .help = "change labels that have another value now"},
    {.name = "remove", .help = "remove the labels named, as key- does"},
    kSelector,
    kAll,
    {.name = "output",
     .letter = 'o',
     .kind = ValueKind::kText,
     .value_name = "FORMAT",
     .help = "show the object as it is now: name, yaml, json, …",
     .choices = kWriteOutputs,
     .candidates = Candidates::kWords},
};

constexpr Flag kValidateFlags[] = {
    {.name = "skip-empty", .help = "no error when the files hold no objects"},
};

constexpr Flag kExplainFlags[] = {
    {.name = "recursive", .letter = 'R', .help = "all fields below, without their descriptions"},
};

constexpr Text kApiOutputs[] = {"table", "wide", "name", "json"};
constexpr Flag kApiResourcesFlags[] = {
    {.name = "output",
     .letter = 'o',
     .kind = ValueKind::kChoice,
     .value_name = "FORMAT",
     .help = "table, wide, name or json",
     .fallback = "table",
     .choices = kApiOutputs,
     .candidates = Candidates::kWords},
    {.name = "no-headers", .help = "the table without its first line"},
};

constexpr Text kVersionOutputs[] = {"text", "yaml", "json"};
constexpr Flag kVersionFlags[] = {
    {.name = "client", .help = "only netctl's own version: asks no server"},
    {.name = "output",
     .letter = 'o',
     .kind = ValueKind::kChoice,
     .value_name = "FORMAT",
     .help = "text, yaml or json",
     .fallback = "text",
     .choices = kVersionOutputs,
     .candidates = Candidates::kWords},
};

constexpr Flag kHelpFlags[] = {
    {.name = "man", .help = "as a manual page (roff): % help --man get | man -l -"},
    {.name = "man-pages",
     .kind = ValueKind::kText,
     .value_name = "FOLDER",
     .help = "write every manual page there; what packages do",
     .candidates = Candidates::kFiles},
};

constexpr FlagGroup kGlobal[] = {kGlobalFlags};
constexpr FlagGroup kApply[] = {kFileFlags, kDryRunFlags, kWriteFlags};
constexpr FlagGroup kCreate[] = {kFileFlags, kDryRunFlags, kWriteFlags, kCreateFlags};
constexpr FlagGroup kDelete[] = {kFileFlags, kDryRunFlags, kDeleteFlags};
constexpr FlagGroup kGet[] = {kGetFlags, kFileFlags};
constexpr FlagGroup kPatch[] = {kPatchFlags, kDryRunFlags};
constexpr FlagGroup kLabel[] = {kLabelFlags, kDryRunFlags};
constexpr FlagGroup kValidate[] = {kFileFlags, kValidateFlags};
constexpr FlagGroup kDiff[] = {kFileFlags};
constexpr FlagGroup kExplain[] = {kExplainFlags};
constexpr FlagGroup kApiResources[] = {kApiResourcesFlags};
constexpr FlagGroup kVersion[] = {kVersionFlags};
constexpr FlagGroup kHelp[] = {kHelpFlags};

// Arguments ----------------------------------------------------------------------------------------------------------

constexpr Text kKindHelp =
    "kind by any of its names, or several: ippool, ippools, ipp, IPPool, ippools.projectcalico.org, ippool,bgppeer; "
    "or KIND/NAME";
constexpr Argument kKindNames[] = {
    {.name = "KIND", .help = kKindHelp, .candidates = Candidates::kKinds},
    {.name = "NAME", .help = "objects of that kind", .is_repeated = true, .candidates = Candidates::kObjects},
};
constexpr Argument kPatchArguments[] = {
    {.name = "KIND", .help = kKindHelp, .is_required = true, .candidates = Candidates::kKinds},
    {.name = "NAME", .help = "the object", .candidates = Candidates::kObjects},
};
constexpr Argument kLabelArguments[] = {
    {.name = "KIND", .help = kKindHelp, .is_required = true, .candidates = Candidates::kKinds},
    {.name = "NAME",
     .help = "the objects, then the labels: KEY=VALUE sets, KEY- removes",
     .is_repeated = true,
     .candidates = Candidates::kObjects},
};
constexpr Argument kExplainArguments[] = {
    {.name = "KIND[.FIELD]",
     .help = "a kind, or a field of it: bgppeer.spec.peerIP",
     .is_required = true,
     .candidates = Candidates::kFieldPaths},
};
constexpr Text kShells[] = {"bash", "zsh", "fish"};
constexpr Argument kCompletionArguments[] = {
    {.name = "SHELL",
     .help = "bash, zsh or fish",
     .is_required = true,
     .candidates = Candidates::kWords,
     .choices = kShells},
};
constexpr Argument kHelpArguments[] = {
    {.name = "COMMAND", .help = "a command or a topic", .is_repeated = true, .candidates = Candidates::kCommands},
};

// Examples -----------------------------------------------------------------------------------------------------------

constexpr Example kApplyExamples[] = {
    {"Create or change what the file describes", "% apply -f pools.yaml"},
    {"A whole directory tree", "% apply -R -f cluster/"},
    {"From standard input", "cat peer.yaml | % apply -f -"},
    {"See what would be sent, without a server", "% apply -f policy.yaml --dry-run=client -o yaml"},
};
constexpr Example kCreateExamples[] = {
    {"Create the objects of a file", "% create -f peer.yaml"},
    {"Leave those that exist as they are", "% create -f defaults.yaml --skip-exists"},
};
constexpr Example kReplaceExamples[] = {
    {"Replace an object whole", "% replace -f pool.yaml"},
    {"Edit and put back", "% get ippool main -o yaml --export > p.yaml; vi p.yaml; % replace -f p.yaml"},
};
constexpr Example kGetExamples[] = {
    {"All IP pools", "% get ippools"},
    {"One of them, as YAML", "% get ippool main -o yaml"},
    {"AS numbers and addresses of the nodes", "% get nodes -o wide"},
    {"Policies of all namespaces, and of Kubernetes", "% get networkpolicy,networkpolicies.networking.k8s.io -A"},
    {"Changes as they come", "% get bgppeers --watch"},
    {"Peer addresses only", "% get bgppeers -o jsonpath='{.items[*].spec.peerIP}'"},
    {"Own columns", "% get ipp -o custom-columns=POOL:.metadata.name,CIDR:.spec.cidr"},
};
constexpr Example kDeleteExamples[] = {
    {"One object", "% delete bgppeer rack1"},
    {"What a file describes", "% delete -f policy.yaml --ignore-not-found"},
    {"By label", "% delete networkset -n shop -l owner=web"},
};
constexpr Example kPatchExamples[] = {
    {"Turn a pool off", R"(% patch ippool main -p '{"spec":{"disabled":true}}')"},
    {"One list entry, by JSON patch",
     R"(% patch gnp deny-all -t json -p '[{"op":"replace","path":"/spec/types/0","value":"Egress"}]')"},
};
constexpr Example kLabelExamples[] = {
    {"Set a label", "% label node worker-1 rack=r7"},
    {"Change one that has a value", "% label networkset office tier=inner --overwrite"},
    {"Remove it", "% label node worker-1 rack-"},
};
constexpr Example kValidateExamples[] = {
    {"Check files without a server, as in CI", "% validate -R -f cluster/"},
};
constexpr Example kDiffExamples[] = {
    {"What apply would change", "% diff -f pools.yaml"},
};
constexpr Example kExplainExamples[] = {
    {"The fields of a kind", "% explain bgppeer"},
    {"One field", "% explain ippool.spec.ipipMode"},
};
constexpr Example kApiResourcesExamples[] = {
    {"Every kind with its short names", "% api-resources"},
};
constexpr Example kVersionExamples[] = {
    {"netctl's, the server's and the cluster's version", "% version"},
    {"Only netctl's", "% version --client"},
};
constexpr Example kCompletionExamples[] = {
    {"This bash session", "source <(netctl completion bash)"},
    {"Every zsh session", "netctl completion zsh > \"${fpath[1]}/_netctl\""},
    {"Every fish session", "netctl completion fish > ~/.config/fish/completions/netctl.fish"},
};
constexpr Example kHelpExamples[] = {
    {"A command", "% help get"},
    {"A topic", "% help output"},
};
constexpr Example kRootExamples[] = {
    {"Send objects to the cluster", "% apply -f pools.yaml"},
    {"Look at them", "% get ippools -o wide"},
    {"What a field means", "% explain bgppeer.spec.peerIP"},
};

// Commands -----------------------------------------------------------------------------------------------------------

constexpr Text kKindsAlias[] = {"kinds"};

constexpr Spec kCommands[] = {
    {.id = CommandId::kApply,
     .word = "apply",
     .summary = "Create objects, or change them to what a file says",
     .description = "Objects that do not exist are created. Others are merged three ways: what the file says now, what "
                    "it said at the "
                    "last apply (kept in the annotation kubectl uses, so both programs can be mixed) and what the "
                    "server has; fields "
                    "others set stay.\nNothing is sent unless all objects of all files are right.",
     .flags = kApply,
     .examples = kApplyExamples},
    {.id = CommandId::kCreate,
     .word = "create",
     .summary = "Create objects from files",
     .description = "An object that exists is an error, or is skipped with --skip-exists.\nNothing is sent unless all "
                    "objects of all "
                    "files are right.",
     .flags = kCreate,
     .examples = kCreateExamples},
    {.id = CommandId::kReplace,
     .word = "replace",
     .summary = "Replace objects by those of a file",
     .description =
         "The object must exist. If the file gives metadata.resourceVersion, the server must still have that version.",
     .flags = kApply,
     .examples = kReplaceExamples},
    {.id = CommandId::kGet,
     .word = "get",
     .summary = "Show objects",
     .description = "Lists a kind, or shows the objects named, or those of a file.\nColumns are calicoctl's; -o wide "
                    "has more of them.",
     .arguments = kKindNames,
     .flags = kGet,
     .examples = kGetExamples},
    {.id = CommandId::kDelete,
     .word = "delete",
     .summary = "Delete objects by name, by label or from files",
     .description = "Gives the kind and the names, or -f.",
     .arguments = kKindNames,
     .flags = kDelete,
     .examples = kDeleteExamples},
    {.id = CommandId::kPatch,
     .word = "patch",
     .summary = "Change some fields of an object",
     .description = "A strategic patch merges lists by their keys, which only kinds built into Kubernetes have; for "
                    "all others it is a "
                    "merge patch: lists are replaced.",
     .arguments = kPatchArguments,
     .flags = kPatch,
     .examples = kPatchExamples},
    {.id = CommandId::kLabel,
     .word = "label",
     .summary = "Set or remove labels of an object",
     .description = "A label that has another value is only changed with --overwrite.",
     .arguments = kLabelArguments,
     .flags = kLabel,
     .examples = kLabelExamples},
    {.id = CommandId::kValidate,
     .word = "validate",
     .summary = "Check files without a server",
     .description = "Checks every object against its schema and the rules between fields, and names every problem with "
                    "file, line and "
                    "column. Exit code 1 when there is one.",
     .flags = kValidate,
     .examples = kValidateExamples},
    {.id = CommandId::kGroup,
     .word = "policy",
     .summary = "Ask what policies do, and check them",
     .description = "Questions about policies of Kubernetes and Calico, of a cluster or of files.",
     .examples = kPolicyExamples,
     .children = kPolicyCommands},
    {.id = CommandId::kGroup,
     .word = "ipam",
     .summary = "See, check and repair the management of addresses",
     .description = "Pools, their blocks, and who has which address.",
     .examples = kIpamExamples,
     .children = kIpamCommands},
    {.id = CommandId::kGroup,
     .word = "node",
     .summary = "See how nodes fare, and what a machine can do",
     .description = "Agents, BGP sessions, dataplane and tunnels; the kernel and tools of this machine.",
     .examples = kNodeExamples,
     .children = kNodeCommands},
    {.id = CommandId::kGroup,
     .word = "bgp",
     .summary = "Look into the BGP speaker of this machine",
     .description = "Sessions and routes of the margay-node or margay-bgpd that runs here.",
     .examples = kBgpExamples,
     .children = kBgpCommands},
    {.id = CommandId::kSupportBundle,
     .word = "support-bundle",
     .aliases = kBundleAliases,
     .summary = "Collect what helps to find a fault, as one archive",
     .description =
         "Objects of the cluster without what is secret (values of Secrets and environment variables), how its nodes "
         "fare, and of this machine what its agent answers, its links, routes, rules and sets, and the logs of our "
         "programs where they are known.\nThe archive says in manifest.json what could not be collected; exit code 5 "
         "when something could not.",
     .flags = kBundle,
     .examples = kBundleExamples},
    {.id = CommandId::kGroup,
     .word = "lab",
     .summary = "A whole cluster of network namespaces on this machine",
     .description = "Real agents, controllers, BGP and policy, with pods that answer: to try things out and to test.",
     .examples = kLabExamples,
     .children = kLabCommands},
    {.id = CommandId::kDiff,
     .word = "diff",
     .summary = "Show what apply would change",
     .description =
         "Compares what the server has with what it would have after apply. Exit code 0: no difference, 1: some.",
     .flags = kDiff,
     .examples = kDiffExamples},
    {.id = CommandId::kExplain,
     .word = "explain",
     .summary = "Describe a kind and its fields",
     .description = "Type, default, allowed values and description, from the schema built into netctl: asks no server.",
     .arguments = kExplainArguments,
     .flags = kExplain,
     .examples = kExplainExamples},
    {.id = CommandId::kApiResources,
     .word = "api-resources",
     .aliases = kKindsAlias,
     .summary = "List the kinds and their names",
     .description = "Every kind netctl knows, with short names and group.",
     .flags = kApiResources,
     .examples = kApiResourcesExamples},
    {.id = CommandId::kVersion,
     .word = "version",
     .summary = "Show the versions of netctl, of the server and of the cluster",
     .description = "The cluster's is what its ClusterInformation says, if it has one; `node status` shows what each "
                    "node runs.\nExit code 3 when a server is configured and does not answer.",
     .flags = kVersion,
     .examples = kVersionExamples},
    {.id = CommandId::kCompletion,
     .word = "completion",
     .summary = "Print the completion script of a shell",
     .description = "Completes commands, flags, kinds and the names of objects on the server.",
     .arguments = kCompletionArguments,
     .examples = kCompletionExamples},
    {.id = CommandId::kHelp,
     .word = "help",
     .summary = "Show help on a command or a topic",
     .description = "Topics: output, kinds, exit-codes, connection.",
     .arguments = kHelpArguments,
     .flags = kHelp,
     .examples = kHelpExamples},
};

constexpr Spec kRoot = {
    .id = CommandId::kGroup,
    .word = "netctl",
    .summary = "manages the network of a cluster: addresses, BGP, policy",
    .description =
        "The objects are those of projectcalico.org/v3 and Kubernetes; the words and flags those of calicoctl and "
        "kubectl.",
    .flags = kGlobal,
    .examples = kRootExamples,
    .children = kCommands,
};

}  // namespace

const Spec& root() { return kRoot; }

}  // namespace margay::command
