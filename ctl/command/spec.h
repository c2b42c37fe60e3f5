// The command line as data: parsing (parse.h), help (help.h) and completion (complete.h) are all derived from one table
// (commands.h) of these structs. The table is constexpr: a program that prints its version pays nothing for it.
//
//   netctl [global flags] WORD [WORD…] [ARGUMENT…] [flags]
//
// Text may name the program as "%", which help replaces with the name it runs under ("netctl" or "kubectl netctl").
#pragma once

#include <span>
#include <string_view>

namespace margay::command {

// What a flag takes after it.
enum class ValueKind {
  kSwitch,    // nothing; --flag=false turns it off
  kText,      // one text; given twice is an error
  kTexts,     // may be given several times, values in order
  kChoice,    // one of `choices`
  kDuration,  // "30s", "1m30s", "500ms", plain seconds
  kLevel,     // -v, -vv, -v=6: a number that grows with each repetition
};

// Where the candidates for completing a value come from.
enum class Candidates {
  kNone,
  kWords,
  kFiles,
  kKinds,
  kObjects,
  kNamespaces,
  kContexts,
  kOutputs,
  kCommands,
  kFieldPaths
};

struct Flag {
  std::string_view name = {};
  char letter = 0;
  char second_letter = 0;       // for who knows it from another program; not shown
  std::string_view alias = {};  // a second long name
  ValueKind kind = ValueKind::kSwitch;
  std::string_view value_name = {};  // "FILE"
  std::string_view help = {};
  std::string_view fallback = {};                  // what holds when the flag is not given
  std::string_view bare = {};                      // kChoice: what "--flag" without a value means; "" needs a value
  std::span<const std::string_view> choices = {};  // enforced for kChoice, else only offered for completion
  Candidates candidates = Candidates::kNone;
  bool is_hidden = false;
};

using FlagGroup = std::span<const Flag>;

struct Argument {
  std::string_view name = {};  // "KIND"
  std::string_view help = {};
  bool is_required = false;
  bool is_repeated = false;  // only the last one
  Candidates candidates = Candidates::kNone;
  std::span<const std::string_view> choices = {};
  std::string_view kind = {};  // kObjects: names of this kind, whatever else stands on the line
};

struct Example {
  std::string_view about = {};
  std::string_view line = {};
};

enum class CommandId {
  kGroup,  // has children, does nothing itself
  kApply,
  kCreate,
  kReplace,
  kGet,
  kDelete,
  kPatch,
  kLabel,
  kValidate,
  kPolicyEval,
  kPolicyLint,
  kIpamShow,
  kIpamCheck,
  kIpamRelease,
  kIpamConfigure,
  kIpamSplit,
  kIpamExplain,
  kNodeStatus,
  kNodeChecksystem,
  kBgpPeers,
  kBgpRoutes,
  kBgpNeighbor,
  kSupportBundle,
  kLabUp,
  kLabDown,
  kLabStatus,
  kLabApply,
  kLabExec,
  kLabConnect,
  kLabMatrix,
  kLabNode,
  kLabKubeconfig,
  kLabKeeper,
  kLabRelay,
  kDiff,
  kExplain,
  kApiResources,
  kVersion,
  kCompletion,
  kHelp,
};

struct Spec {
  CommandId id = CommandId::kGroup;
  std::string_view word = {};
  std::span<const std::string_view> aliases = {};
  std::string_view summary = {};      // one line without a full stop
  std::string_view description = {};  // paragraphs between newlines
  std::span<const Argument> arguments = {};
  std::span<const FlagGroup> flags = {};
  std::span<const Example> examples = {};
  std::span<const Spec> children = {};
  bool is_hidden = false;
};

// A page of help that belongs to no command.
struct Topic {
  std::string_view word = {};
  std::string_view summary = {};
  std::string_view text = {};
};

}  // namespace margay::command
