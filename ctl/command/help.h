// Help, written from the table: for a terminal, and as a manual page.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/command/parse.h"
#include "ctl/command/spec.h"

namespace margay::command {

// `program` is the name netctl runs under: "netctl", "kubectl netctl".
std::string help(const std::vector<const Spec*>& path, std::string_view program);
std::string topic_help(const Topic& topic, std::string_view program);
// roff for man(1): `netctl help --man get | man -l -`.
std::string manual_page(const std::vector<const Spec*>& path, std::string_view program);

// Every page there is: of the program, of each command, of each topic (in section 7). Sorted by file name.
struct ManualFile {
  std::string name;  // "netctl-get.1", "netctl-exit-codes.7"
  std::string text;
};
std::vector<ManualFile> manual_files(const Spec& root);

// What `netctl help WORD…` shows; the error names what is near.
Result<std::string> help_for(const Spec& root, const std::vector<std::string>& words, std::string_view program,
                             bool as_manual);

// The message of a usage error with the way to the help.
std::string describe(const UsageError& error, std::string_view program);

// Words of one paragraph in lines of at most `width` columns, each after the first behind `indent` blanks.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

// "netctl get": the program's name and the words behind it.
std::string command_line(const std::vector<const Spec*>& path, std::string_view program);

}  // namespace margay::command
