// Reads a command line against the table.
//
// Flags may stand anywhere after the word they belong to; global flags anywhere. --flag=value, --flag value, -f value,
// -fvalue, -f=value; switches in one group (-AR); "--" ends the flags; a single "-" is an argument (standard input).
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "ctl/command/spec.h"

namespace margay::command {

struct Invocation {
  std::vector<const Spec*> path;                                       // from the root to the command
  std::map<std::string, std::vector<std::string>, std::less<>> given;  // by long name
  std::vector<std::string> arguments;
  bool wants_help = false;

  [[nodiscard]] const Spec& command() const { return *path.back(); }
  // The four below abort on a flag that the command does not have: a mistake of ours.
  [[nodiscard]] bool is_given(std::string_view flag) const;
  [[nodiscard]] bool is_on(std::string_view flag) const;
  [[nodiscard]] std::string text(std::string_view flag) const;  // the flag's fallback when it is not given
  [[nodiscard]] std::vector<std::string> texts(std::string_view flag) const;
  [[nodiscard]] int level(std::string_view flag) const;
};

struct UsageError {
  std::string message;
  std::vector<const Spec*> path;  // the command that was understood so far
};

Result<Invocation, UsageError> parse(const Spec& root, std::span<const std::string> words);

// "1m30s", "500ms", "2h", "10" (seconds), "0".
Result<Duration> parse_timeout(std::string_view text);

// The flag of that long name or alias on this path; nullptr when there is none.
const Flag* find_flag(const std::vector<const Spec*>& path, std::string_view name);
const Flag* find_flag(const std::vector<const Spec*>& path, char letter);
// The child of that word or alias.
const Spec* find_child(const Spec& parent, std::string_view word);
// Whether the flag needs a value that may stand in the next word.
bool takes_next_word(const Flag& flag);

}  // namespace margay::command
