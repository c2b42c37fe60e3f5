// A Host for tests: answers are what the test put in; what is written is kept. Programs: gzip passes its input through,
// others say their command line, those in `absent` are not there.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "ctl/node/host.h"

namespace margay::verbs {

class FakeHost final : public node::Host, private exec::Runner {
 public:
  std::map<std::string, node::Answer> answers;  // "/run/margay/node.sock /status"
  std::map<std::string, std::string> machine_files;
  std::map<std::string, std::string> written;
  std::set<std::string> absent;
  std::vector<node::CheckResult> checks;
  std::vector<std::string> asked;

  Result<node::Answer> get(const std::string& socket, const std::string& target, Duration /*limit*/) override {
    asked.push_back(concat(socket, " ", target));
    const auto found = answers.find(asked.back());
    if (found != answers.end()) return found->second;
    if (has_file(socket)) return node::Answer{404, R"({"error": "there is no such page"})"};
    return Error{ErrorCode::kUnavailable, concat(socket, ": No such file or directory")};
  }
  exec::Runner& programs() override { return *this; }
  [[nodiscard]] bool has_file(const std::string& path) const override { return machine_files.contains(path); }
  Result<std::string> read_file(const std::string& path) override { return machine_files.at(path); }
  Status write_file(const std::string& path, std::string_view content) override {
    written[path] = content;
    return ok_status();
  }
  std::vector<std::string> files(const std::string& pattern) override {
    std::vector<std::string> out;
    const std::string_view start = std::string_view(pattern).substr(0, pattern.find('*'));
    for (const auto& [path, text] : machine_files) {
      if (path.starts_with(start)) out.push_back(path);
    }
    return out;
  }
  std::vector<node::CheckResult> check_system() override { return checks; }

 private:
  Result<exec::Finished> run(const exec::Command& command) override {
    if (absent.contains(command.program)) return Error{ErrorCode::kNotFound, "no such program"};
    if (command.program == "gzip") return exec::Finished{.output = std::string(command.input)};
    return exec::Finished{.output = concat("output of ", exec::to_string(command), "\n")};
  }
};

}  // namespace margay::verbs
