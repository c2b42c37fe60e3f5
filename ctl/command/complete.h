// What may stand at the end of an unfinished command line. Pure: says which candidates fit and, where they come from
// the outside (names of objects, namespaces, contexts), what to ask for.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/command/parse.h"
#include "ctl/command/spec.h"

namespace margay::command {

struct Candidate {
  std::string text;
  std::string about;  // one line, may be empty
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

struct Completion {
  // What to look up outside; kNone, kWords and kCommands are answered by `candidates` already.
  Candidates wanted = Candidates::kNone;
  std::string kind;    // kObjects: the kind as the user wrote it; kFieldPaths: the path before the last dot
  std::string kept;    // "--output=", "ippool,": the part of the last word that every candidate repeats
  std::string prefix;  // what is typed of the candidate itself
  std::vector<Candidate> candidates;
  Invocation so_far;  // the flags given, for the connection
};

// `words`: all behind the program's name; the last one is being typed, and may be empty.
Completion complete(const Spec& root, std::span<const std::string> words);

// Those that begin with `prefix`, without case, each with `kept` before it.
std::vector<Candidate> matching(const std::vector<Candidate>& candidates, std::string_view kept,
                                std::string_view prefix);

// One a line ("text<TAB>about"), then ":4", or ":0" when file names may stand there too: the protocol of Cobra's
// __complete, which kubectl speaks with its plugins.
std::string completion_lines(const std::vector<Candidate>& candidates, bool also_files);

// The script for "bash", "zsh" or "fish".
std::string completion_script(std::string_view shell);

}  // namespace margay::command
