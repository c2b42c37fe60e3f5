// An Io for tests: keeps what was written, gives what the test put in.
#pragma once

#include <string>

#include "ctl/verbs/io.h"

namespace margay::verbs {

class RecordedIo final : public Io {
 public:
  std::string written;
  std::string messages;
  std::string input;
  WallTime now = WallTime{};
  bool is_pipe_open = true;
  bool has_colour = false;

  bool out(std::string_view text) override {
    if (is_pipe_open) written.append(text);
    return is_pipe_open;
  }
  void message(std::string_view text) override { messages.append(text); }
  Result<std::string> read_input(std::size_t bytes_max) override {
    if (input.size() > bytes_max) return Error{ErrorCode::kLimitExceeded, "too large"};
    return input;
  }
  [[nodiscard]] WallTime wall_now() const override { return now; }
  [[nodiscard]] bool out_has_colour() const override { return has_colour; }
  [[nodiscard]] bool message_has_colour() const override { return has_colour; }

  // What came since the last time, results and messages under each other.
  std::string take() {
    std::string all = written + messages;
    written.clear();
    messages.clear();
    return all;
  }
};

}  // namespace margay::verbs
