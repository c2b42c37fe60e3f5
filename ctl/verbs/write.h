// What the commands that change objects have in common.
#pragma once

#include <functional>
#include <optional>

#include "ctl/verbs/load.h"
#include "ctl/verbs/report.h"
#include "ctl/verbs/session.h"

namespace margay::verbs {

constexpr std::string_view kFieldManager = "netctl";
// How often a read-change-write is begun again because somebody else wrote in between.
constexpr int kConflictAttempts = 5;

bool is_client_dry_run(const command::Invocation& invocation);
kube::WriteOptions write_options(const command::Invocation& invocation);

// "-f is missing", or nothing.
std::optional<command::ExitCode> check_files_given(Session& session);

// What became of one object: the object as the server has it now, and a word for it.
struct Done {
  json::Value object;
  std::string_view how;  // "created", "configured", "unchanged"
};
using WriteOne = std::function<kube::ApiResult<Done>(Api& api, const render::Item& item)>;

// Loads the files and, if all of them are right, writes each object. With --dry-run=client no server is asked.
command::ExitCode write_files(Session& session, const LoadOptions& options, std::string_view past,
                              const WriteOne& write);

// An error of our own, in the form of the server's.
kube::ApiError refused(const Error& error);

// Runs `attempt` again while it fails with a conflict, at most kConflictAttempts times.
template <class Attempt>
auto until_no_conflict(const Attempt& attempt) -> decltype(attempt()) {
  for (int i = 1;; ++i) {
    auto result = attempt();
    if (result.ok() || result.error().code != ErrorCode::kConflict || i == kConflictAttempts) return result;
  }
}

}  // namespace margay::verbs
