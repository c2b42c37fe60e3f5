// The outside as netctl's commands see it: results, messages, standard input. main/ has the real one, tests a recorder.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/core/time.h"

namespace margay::verbs {

class Io {
 public:
  virtual ~Io() = default;
  // Results, to standard output. False once nobody reads there any more (a closed pipe): the command may stop.
  virtual bool out(std::string_view text) = 0;
  // Messages, to standard error.
  virtual void message(std::string_view text) = 0;
  // All of standard input; kLimitExceeded above the limit.
  virtual Result<std::string> read_input(std::size_t bytes_max) = 0;
  [[nodiscard]] virtual WallTime wall_now() const = 0;
  // Colours may be used on standard output / standard error.
  [[nodiscard]] virtual bool out_has_colour() const = 0;
  [[nodiscard]] virtual bool message_has_colour() const = 0;

  // "error: …" and "warning: …" on standard error, coloured where that may be; a newline is added.
  void error(std::string_view text);
  void warning(std::string_view text);
  // "Warning: …": what the API server warns of, as kubectl shows it.
  void server_warning(std::string_view text);
};

}  // namespace margay::verbs
