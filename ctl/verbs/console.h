// For tests: netctl's commands on one screen, against an API server in memory. What run() gives back reads like a
// terminal, so that a whole conversation can be a golden file:
//
//   $ netctl get ippools
//   NAME   CIDR          SELECTOR
//   main   10.0.0.0/16   all()
//   $ netctl get ippool other
//   ! error: ippool/other: ippools "other" not found
//   [4]
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/text.h"
#include "base/core/time_text.h"
#include "base/file/file.h"
#include "base/file/temp_dir.h"
#include "ctl/command/commands.h"
#include "ctl/command/complete.h"
#include "ctl/command/help.h"
#include "ctl/verbs/fake_client.h"
#include "ctl/verbs/fake_host.h"
#include "ctl/verbs/recorded_io.h"
#include "ctl/verbs/verbs.h"

namespace margay::verbs {

class FakeServer final : public Server {
 public:
  explicit FakeServer(FakeClient& client) : api_(client, client.pump()) {}
  Error problem{ErrorCode::kNotFound, ""};  // with a message: there is no server
  std::string context_namespace = "default";

  Result<std::string> default_namespace() override {
    if (!problem.message.empty()) return problem;
    return context_namespace;
  }
  Result<Api*> api() override {
    if (!problem.message.empty()) return problem;
    return &api_;
  }
  Result<std::string> origin() override {
    if (!problem.message.empty()) return problem;
    return std::string("the test");
  }
  std::vector<std::string> contexts() override { return {"lab", "prod"}; }

 private:
  Api api_;
};

class Console {
 public:
  FakeClient client;
  RecordedIo io;
  FakeServer server{client};
  FakeHost host;
  std::string screen;  // all that was shown so far

  Console() { io.now = *parse_timestamp("2026-08-22T10:00:00Z"); }

  // A file in the folder the commands run in; "@name" on a command line.
  void write(const std::string& name, std::string_view text) {
    MARGAY_CHECK(file::write_file_atomically(dir_.at(name), text).ok());
  }

  // "netctl …" as a shell would cut it: blanks separate, '…' keeps together, @name is a file of write().
  std::string run(std::string_view line) {
    const command::ExitCode code = execute(words_of(line));
    std::string out = concat("$ ", line, '\n', without_folder(io.written));
    if (!io.written.empty() && io.written.back() != '\n') out.append("(no newline)\n");
    const std::string messages = without_folder(io.messages);
    for (const std::string_view message : split(messages, '\n')) {
      if (!message.empty()) out.append(concat("! ", message, '\n'));
    }
    if (code != command::ExitCode::kDone) out.append(concat('[', static_cast<int>(code), "]\n"));
    io.take();
    screen.append(out);
    return out;
  }

  std::string complete(std::vector<std::string> words) {
    const command::Completion completion = command::complete(command::root(), words);
    Session session(completion.so_far, self_, *registry_, io, server);
    run_complete(session, completion);
    return io.take();
  }

  // The requests since the last time.
  std::string take_calls() {
    std::string out;
    for (const std::string& call : std::exchange(client.calls, {})) out.append(call).append("\n");
    return out;
  }

 private:
  command::ExitCode execute(const std::vector<std::string>& words) {
    const auto invocation = command::parse(command::root(), words);
    if (!invocation.ok()) {
      io.message(command::describe(invocation.error(), "netctl"));
      return command::ExitCode::kUsage;
    }
    Session session(*invocation, self_, *registry_, io, server);
    session.set_host(host);
    return verbs::run(session);
  }

  std::vector<std::string> words_of(std::string_view line) const {
    std::vector<std::string> words;
    std::string word;
    bool is_quoted = false;
    bool has_word = false;
    const auto end_word = [&] {
      const std::size_t at = word.starts_with('@')                  ? 0
                             : word.find("=@") == std::string::npos ? word.size()
                                                                    : word.find("=@") + 1;
      if (at < word.size()) word = word.substr(0, at) + dir_.at(word.substr(at + 1));
      if (has_word) words.push_back(word);
      word.clear();
      has_word = false;
    };
    for (const char c : line) {
      if (c == '\'') {
        is_quoted = !is_quoted;
        has_word = true;
      } else if (c == ' ' && !is_quoted) {
        end_word();
      } else {
        word.push_back(c);
        has_word = true;
      }
    }
    end_word();
    words.erase(words.begin());  // "netctl"
    return words;
  }

  std::string without_folder(std::string text) const {
    const std::string folder = dir_.path() + "/";
    for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
      text.erase(at, folder.size());
    }
    return text;
  }

  file::TempDir dir_ = *file::TempDir::make();
  Self self_{"netctl", "0.1.0", "abc1234"};
  std::unique_ptr<schema::Registry> registry_ = schema::make_registry();
};

}  // namespace margay::verbs
