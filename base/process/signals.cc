#include "base/process/signals.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/core/text.h"
#include "base/loop/unique_fd.h"

namespace margay::process {
namespace {

class Watch final : public SignalWatch {
 public:
  Watch(loop::UniqueFd fd, Callback<void(int)> on_signal)
      : fd_(std::move(fd)), on_signal_(std::make_shared<Callback<void(int)>>(std::move(on_signal))) {}

  Status start(loop::FdWatcher& watcher) {
    MARGAY_ASSIGN_OR_RETURN(watch_, watcher.watch(
                                        fd_.get(), [this] { read_all(); }, [] {}));
    watch_->want_readable();
    return ok_status();
  }

 private:
  void read_all() {
    // Held here while it runs, because it may destroy this; being the only holder left then tells.
    const std::shared_ptr<Callback<void(int)>> on_signal = on_signal_;
    signalfd_siginfo info{};
    while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      (*on_signal)(static_cast<int>(info.ssi_signo));
      if (on_signal.use_count() == 1) return;
    }
    watch_->want_readable();
  }

  loop::UniqueFd fd_;
  std::shared_ptr<Callback<void(int)>> on_signal_;
  std::unique_ptr<loop::FdWatch> watch_;  // last, so that it goes before fd_ is closed
};

}  // namespace

Result<std::unique_ptr<SignalWatch>> SignalWatch::make(loop::FdWatcher& watcher, const std::vector<int>& signals,
                                                       Callback<void(int)> on_signal) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : signals) {
    if (sigaddset(&set, number) != 0) return invalid(concat(number, " is no signal"));
  }
  MARGAY_CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  loop::UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.is_open()) return Error{ErrorCode::kInternal, concat("signalfd: ", std::strerror(errno))};
  auto watch = std::make_unique<Watch>(std::move(fd), std::move(on_signal));
  MARGAY_RETURN_IF_ERROR(watch->start(watcher));
  return std::unique_ptr<SignalWatch>(std::move(watch));
}

const char* signal_name(int number) {
  switch (number) {
    case SIGTERM: return "SIGTERM";
    case SIGINT: return "SIGINT";
    case SIGHUP: return "SIGHUP";
    case SIGUSR1: return "SIGUSR1";
    case SIGUSR2: return "SIGUSR2";
    default: return "signal";
  }
}

}  // namespace margay::process
