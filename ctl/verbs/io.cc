#include "ctl/verbs/io.h"

#include "base/core/text.h"

namespace margay::verbs {
namespace {

constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kPlain = "\x1b[0m";

std::string marked(std::string_view word, std::string_view colour, bool has_colour) {
  return has_colour ? concat(colour, word, kPlain) : std::string(word);
}

}  // namespace

void Io::error(std::string_view text) {
  message(concat(marked("error:", kRed, message_has_colour()), ' ', text, '\n'));
}

void Io::warning(std::string_view text) {
  message(concat(marked("warning:", kYellow, message_has_colour()), ' ', text, '\n'));
}

void Io::server_warning(std::string_view text) {
  message(concat(marked("Warning:", kYellow, message_has_colour()), ' ', text, '\n'));
}

}  // namespace margay::verbs
