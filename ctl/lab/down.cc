// netctl lab down: processes, namespaces and files of a lab, also of one that never came up whole.
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/core/text.h"
#include "base/file/file.h"
#include "ctl/lab/lab_session.h"
#include "ctl/lab/net_space.h"
#include "ctl/lab/wiring.h"

namespace margay::lab {
namespace {

bool is_there(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0;
}

int remove_one(const char* path, const struct stat*, int, FTW*) { return std::remove(path); }

// The folder with everything in it; links are removed, not followed.
Status remove_tree(const std::string& path) {
  constexpr int kOpenMax = 16;
  if (!is_there(path) || nftw(path.c_str(), remove_one, kOpenMax, FTW_DEPTH | FTW_PHYS) == 0) return ok_status();
  return file::error_of(errno, path, "cannot remove");
}

}  // namespace

command::ExitCode run_down(verbs::Session& session, const Paths& paths) {
  using command::ExitCode;
  if (!is_there(paths.folder()) && spaces_with(paths.space_prefix()).empty())
    return session.fail(Error{ErrorCode::kNotFound, concat("there is no lab ", quoted(paths.name()))});
  // A state that cannot be read still has namespaces to remove; its processes end with them or are named in the error.
  const auto state = read_state(paths);
  if (state.ok()) {
    stop_processes(state->processes, std::chrono::seconds(5));
  } else if (state.error().code != ErrorCode::kNotFound) {
    session.io().warning(concat(state.error().message, ": processes of the lab may be left"));
  }
  const Status removed = remove_network(paths);
  if (!removed.ok()) return session.fail(removed.error());
  const Status cleared = remove_tree(paths.folder());
  if (!cleared.ok()) return session.fail(cleared.error());
  session.io().message(concat("lab ", quoted(paths.name()), " is gone\n"));
  return ExitCode::kDone;
}

}  // namespace margay::lab
