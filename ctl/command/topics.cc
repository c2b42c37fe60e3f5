// The pages of help that belong to no command.
#include "ctl/command/commands.h"

namespace margay::command {
namespace {

constexpr Topic kTopics[] = {
    {"output", "Formats of -o",
     "  table            columns for people (default; calicoctl's name \"ps\" works too)\n"
     "  wide             more columns\n"
     "  yaml, json       the objects; several as one List\n"
     "  jsonl            one JSON object a line\n"
     "  name             KIND.GROUP/NAME a line\n"
     "  jsonpath=TEXT    text with {.fields}; {range .items[*]}…{end}; {\"\\n\"}; also jsonpath-file=FILE\n"
     "  custom-columns=HEADER:.path,HEADER:.path; also custom-columns-file=FILE\n"
     "  go-template=TEXT; also go-template-file=FILE\n"
     "\n"
     "Of Go templates there are: .field and $variable, {{range}} {{if}} {{with}} each with {{else}} and {{end}}, else "
     "if,\n"
     "$x := …, $x = …, pipes, parentheses, strings, numbers, true, false, nil, {{- and -}}, comments, and the "
     "functions\n"
     "and or not eq ne lt le gt ge index len print printf println exists base64decode. {{define}}, {{template}}, "
     "{{block}}\n"
     "and {{break}} are not there.\n"
     "\n"
     "  % get bgppeers -o jsonpath='{range .items[*]}{.metadata.name} {.spec.peerIP}{\"\\n\"}{end}'\n"
     "  % get ippools -o custom-columns=POOL:.metadata.name,CIDR:.spec.cidr\n"
     "  % get ippools -o go-template='{{range .items}}{{.spec.cidr}}{{\"\\n\"}}{{end}}'\n"},
    {"kinds", "Names of kinds",
     "A kind is known by its kind, plural, singular, short names and calicoctl's aliases, without case: IPPool, "
     "ippools,\n"
     "ippool, ipp, pool. Several with commas: ippool,bgppeer. One group's with its name: "
     "networkpolicies.networking.k8s.io\n"
     "is Kubernetes' NetworkPolicy, while networkpolicy, np and policy mean projectcalico.org's. `% api-resources` "
     "lists\n"
     "all.\n"},
    {"exit-codes", "Exit codes",
     "  0  done\n"
     "  1  failed\n"
     "  2  usage: the command line is wrong, nothing was done\n"
     "  3  degraded: it works, but something that should be there is not (version: no server;\n"
     "     node status: a peer is down)\n"
     "  4  not found: an object that was named does not exist\n"
     "  5  partly done: some objects are done, others failed; each failure is named\n"},
    {"connection", "Which API server is used",
     "In this order: --server (with --token), --kubeconfig, the files of $KUBECONFIG, ~/.kube/config, the service "
     "account\n"
     "of the pod netctl runs in. --context picks a context of the file. --certificate-authority says what the "
     "server's\n"
     "certificate is checked with; --client-certificate and --client-key, or --token, say who you are; they go before\n"
     "what a file says.\n"
     "`% get nodes -v` shows what was chosen, and each request.\n"},
};

}  // namespace

std::span<const Topic> topics() { return kTopics; }

}  // namespace margay::command
