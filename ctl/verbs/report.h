// What became of each object of a command: a line each, a summary, and the exit code they make together.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/render/item.h"
#include "ctl/verbs/session.h"

namespace margay::verbs {

// What became of an object that was left as it is on the user's wish; the summary counts these apart.
constexpr std::string_view kSkipped = "skipped (exists)";

class Report {
 public:
  // `past`: "applied", "created", …: the summary's word.
  Report(Session& session, std::string_view past);

  // "ippool.projectcalico.org/main configured"; with -o the object is shown at the end instead.
  void done(const render::Item& item, std::string_view how);
  void failed(const render::Item& item, const kube::ApiError& error);
  void failed(std::string_view what, const Error& error);
  // Objects that were not tried, because of what failed before; told in one line.
  void not_tried(const render::Items& items, std::string_view why);

  // The objects if -o asks for them, the summary if not, and the failures again by name when some were done.
  command::ExitCode finish();

 private:
  void count_failure(std::string_view what, ErrorCode code);
  [[nodiscard]] std::string summary() const;

  Session& session_;
  std::string past_;
  std::string output_;  // -o
  render::Items done_;
  std::vector<std::string> failed_;
  std::size_t skipped_ = 0;  // of those done
  bool all_not_found_ = true;
};

// " (dry run)", " (server dry run)" or "".
std::string_view dry_run_mark(const command::Invocation& invocation);

// Shows objects as -o says; an error of the format is the user's.
command::ExitCode show(Session& session, const render::Items& items, std::string_view output, bool as_list);

}  // namespace margay::verbs
