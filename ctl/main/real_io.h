// Standard input and output of this process.
#pragma once

#include "ctl/verbs/io.h"

namespace margay::ctl {

class RealIo final : public verbs::Io {
 public:
  // `allows_colour`: neither --no-color nor NO_COLOR nor TERM=dumb.
  explicit RealIo(bool allows_colour);

  bool out(std::string_view text) override;
  void message(std::string_view text) override;
  Result<std::string> read_input(std::size_t bytes_max) override;
  [[nodiscard]] WallTime wall_now() const override;
  [[nodiscard]] bool out_has_colour() const override { return out_has_colour_; }
  [[nodiscard]] bool message_has_colour() const override { return message_has_colour_; }

  // What prevented a result from being written, as "No space left on device"; "" when nothing did, or only that nobody
  // reads any more.
  [[nodiscard]] const std::string& write_problem() const { return write_problem_; }

 private:
  bool out_has_colour_;
  bool message_has_colour_;
  bool is_out_open_ = true;
  std::string write_problem_;
};

}  // namespace margay::ctl
