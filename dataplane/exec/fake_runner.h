// FakeRunner: answers of a test in place of programs, and a record of what was asked for.
// For tests; used by one thread at a time.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/exec/runner.h"

namespace margay::exec {

class FakeRunner final : public Runner {
 public:
  using Answer = std::function<Result<Finished>(const Command&)>;
  explicit FakeRunner(Answer answer) : answer_(std::move(answer)) {}

  Result<Finished> run(const Command& command) override {
    commands_.push_back(to_string(command));
    inputs_.emplace_back(command.input);
    return answer_(command);
  }

  [[nodiscard]] const std::vector<std::string>& commands() const { return commands_; }
  [[nodiscard]] const std::vector<std::string>& inputs() const { return inputs_; }

 private:
  Answer answer_;
  std::vector<std::string> commands_;
  std::vector<std::string> inputs_;
};

}  // namespace margay::exec
