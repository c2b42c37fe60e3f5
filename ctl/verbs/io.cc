#include "ctl/verbs/io.h"

#include "base/core/text.h"
#include "ctl/verbs/colour.h"

namespace margay::verbs {

void Io::error(std::string_view text) {
  message(concat(coloured("error:", kRed, message_has_colour()), ' ', text, '\n'));
}

void Io::warning(std::string_view text) {
  message(concat(coloured("warning:", kYellow, message_has_colour()), ' ', text, '\n'));
}

void Io::server_warning(std::string_view text) {
  message(concat(coloured("Warning:", kYellow, message_has_colour()), ' ', text, '\n'));
}

}  // namespace margay::verbs
