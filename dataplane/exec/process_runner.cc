#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"
#include "base/loop/unique_fd.h"
#include "dataplane/exec/runner.h"

namespace margay::exec {
namespace {

using loop::UniqueFd;

constexpr std::size_t kReadSize = std::size_t{64} << 10U;
constexpr int kFirstFreeFd = 3;

Error error_of(int number, const std::string& what) {
  ErrorCode code = ErrorCode::kUnavailable;
  if (number == ENOENT) code = ErrorCode::kNotFound;
  if (number == EACCES || number == EPERM) code = ErrorCode::kPermissionDenied;
  if (number == ENOSYS) code = ErrorCode::kUnsupported;
  return Error{code, concat(what, ": ", std::strerror(number))};
}

// Descriptors of the child are put in the standard three places one after the other: none may stand in one already.
Result<UniqueFd> above_standard(UniqueFd fd) {
  if (fd.get() >= kFirstFreeFd) return fd;
  UniqueFd moved(fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstFreeFd));
  if (!moved.is_open()) return error_of(errno, "descriptor");
  return moved;
}

Result<UniqueFd> memory_file() {
  UniqueFd fd(memfd_create("margay", MFD_CLOEXEC));
  if (!fd.is_open()) return error_of(errno, "file in memory");
  return above_standard(std::move(fd));
}

// A file in memory rather than a pipe: the program reads at its own pace, and may end before it has read all.
Result<UniqueFd> file_with(std::string_view text) {
  MARGAY_ASSIGN_OR_RETURN(UniqueFd fd, memory_file());
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = write(fd.get(), text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return error_of(errno, "file in memory");
    done += static_cast<std::size_t>(written);
  }
  if (lseek(fd.get(), 0, SEEK_SET) != 0) return error_of(errno, "file in memory");
  return fd;
}

struct Pipe {
  UniqueFd ours;  // does not block
  UniqueFd child;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return error_of(errno, "pipe");
  UniqueFd ours(ends[0]);
  UniqueFd child(ends[1]);
  if (fcntl(ours.get(), F_SETFL, O_NONBLOCK) != 0) return error_of(errno, "pipe");
  MARGAY_ASSIGN_OR_RETURN(child, above_standard(std::move(child)));
  return Pipe{std::move(ours), std::move(child)};
}

Result<UniqueFd> timer_of(Duration limit) {
  UniqueFd fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!fd.is_open()) return error_of(errno, "timer");
  const Duration wait = std::max(limit, Duration(1));  // zero would never fire
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait);
  itimerspec spec{};
  spec.it_value.tv_sec = seconds.count();
  spec.it_value.tv_nsec = (wait - seconds).count();
  if (timerfd_settime(fd.get(), 0, &spec, nullptr) != 0) return error_of(errno, "timer");
  return fd;
}

// What posix_spawn is told; both of its objects need to be destroyed.
class SpawnPlan {
 public:
  SpawnPlan() {
    MARGAY_CHECK(posix_spawn_file_actions_init(&actions_) == 0);
    MARGAY_CHECK(posix_spawnattr_init(&attributes_) == 0);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  int spawn(const Command& command, int input, int output, int errors, pid_t& pid) {
    posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, errors, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions_, kFirstFreeFd);
    sigset_t set;
    sigemptyset(&set);
    posix_spawnattr_setsigmask(&attributes_, &set);
    sigfillset(&set);
    posix_spawnattr_setsigdefault(&attributes_, &set);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    std::vector<char*> arguments{const_cast<char*>(command.program.c_str())};
    for (const std::string& argument : command.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    return posix_spawnp(&pid, command.program.c_str(), &actions_, &attributes_, arguments.data(), environ);
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// A process of ours, until it has been waited for; killed if that does not happen.
class Child {
 public:
  // glibc 2.36 declares pidfd_open() for C only.
  explicit Child(pid_t pid) : pid_(pid), fd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    wait();
  }
  // Readable when it has ended; -1: this kernel cannot say.
  [[nodiscard]] int fd() const { return fd_.get(); }
  int wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status;
  }

 private:
  pid_t pid_;
  UniqueFd fd_;
};

// Everything there is now. False: there will be no more.
bool read_available(int fd, std::string& into, std::size_t limit) {
  while (into.size() <= limit) {
    const std::size_t before = into.size();
    into.resize(before + kReadSize);
    const ssize_t got = read(fd, into.data() + before, kReadSize);
    into.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got < 0 && errno == EAGAIN;
  }
  return true;
}

Error too_much(const Command& command) {
  return Error{ErrorCode::kLimitExceeded, concat("more than ", command.output_max, " bytes of output")};
}

Error too_long(const Command& command) {
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(command.time_limit);
  return Error{ErrorCode::kTimeout, concat("not finished after ", limit.count(), " ms, killed")};
}

void note_end(int status, Finished& finished) {
  if (WIFSIGNALED(status)) finished.signal = WTERMSIG(status);
  if (WIFEXITED(status)) finished.status = WEXITSTATUS(status);
}

Result<Finished> collect(const Command& command, Child& child, const Pipe& output, const Pipe& errors,
                         const UniqueFd& timer) {
  Finished finished;
  std::array<pollfd, 4> wanted{{{output.ours.get(), POLLIN, 0},
                                {errors.ours.get(), POLLIN, 0},
                                {child.fd(), POLLIN, 0},
                                {timer.get(), POLLIN, 0}}};
  while (wanted[2].revents == 0) {
    if (poll(wanted.data(), wanted.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return error_of(errno, "waiting");
    }
    // A descriptor below zero is not looked at.
    if (wanted[0].fd >= 0 && !read_available(wanted[0].fd, finished.output, command.output_max)) wanted[0].fd = -1;
    if (wanted[1].fd >= 0 && !read_available(wanted[1].fd, finished.errors, command.output_max)) wanted[1].fd = -1;
    if (std::max(finished.output.size(), finished.errors.size()) > command.output_max) return too_much(command);
    if (wanted[2].revents == 0 && wanted[3].revents != 0) return too_long(command);
  }
  // What was written between the last look and the end.
  if (wanted[0].fd >= 0) read_available(wanted[0].fd, finished.output, command.output_max);
  if (wanted[1].fd >= 0) read_available(wanted[1].fd, finished.errors, command.output_max);
  note_end(child.wait(), finished);
  return finished;
}

Result<Finished> run_once(const Command& command) {
  MARGAY_ASSIGN_OR_RETURN(const UniqueFd input, file_with(command.input));
  MARGAY_ASSIGN_OR_RETURN(Pipe output, make_pipe());
  MARGAY_ASSIGN_OR_RETURN(Pipe errors, make_pipe());
  MARGAY_ASSIGN_OR_RETURN(const UniqueFd timer, timer_of(command.time_limit));
  pid_t pid = 0;
  const int failure = SpawnPlan().spawn(command, input.get(), output.child.get(), errors.child.get(), pid);
  if (failure != 0) return error_of(failure, "starting it");
  Child child(pid);
  if (child.fd() < 0) return error_of(errno, "watching it");
  output.child.reset();
  errors.child.reset();
  return collect(command, child, output, errors, timer);
}

// What it writes goes to files in memory: nobody reads while it is at work.
class Process final : public Running {
 public:
  static Result<std::unique_ptr<Running>> start(const Command& command) {
    MARGAY_ASSIGN_OR_RETURN(const UniqueFd input, file_with(command.input));
    std::unique_ptr<Process> made(new Process(command));
    MARGAY_ASSIGN_OR_RETURN(made->output_, memory_file());
    MARGAY_ASSIGN_OR_RETURN(made->errors_, memory_file());
    MARGAY_ASSIGN_OR_RETURN(made->timer_, timer_of(command.time_limit));
    pid_t pid = 0;
    const int failure = SpawnPlan().spawn(command, input.get(), made->output_.get(), made->errors_.get(), pid);
    if (failure != 0) return error_of(failure, "starting it");
    made->child_.emplace(pid);
    if (made->child_->fd() < 0) return error_of(errno, "watching it");
    return std::unique_ptr<Running>(std::move(made));
  }

  Result<Finished> finish() override {
    Result<Finished> finished = wait();
    if (!finished.ok()) return finished.error().within(to_string(command_));
    return finished;
  }

 private:
  explicit Process(const Command& command) : command_(command) { command_.input = {}; }

  Result<Finished> wait() {
    std::array<pollfd, 2> wanted{{{child_->fd(), POLLIN, 0}, {timer_.get(), POLLIN, 0}}};
    while (poll(wanted.data(), wanted.size(), -1) < 0) {
      if (errno != EINTR) return error_of(errno, "waiting");
    }
    if (wanted[0].revents == 0) {
      child_.reset();
      return too_long(command_);
    }
    Finished finished;
    note_end(child_->wait(), finished);
    MARGAY_RETURN_IF_ERROR(read_all(output_, finished.output));
    MARGAY_RETURN_IF_ERROR(read_all(errors_, finished.errors));
    return finished;
  }

  [[nodiscard]] Status read_all(const UniqueFd& file, std::string& into) const {
    const off_t size = lseek(file.get(), 0, SEEK_END);
    if (size < 0) return error_of(errno, "file in memory");
    if (static_cast<std::size_t>(size) > command_.output_max) return too_much(command_);
    into.resize(static_cast<std::size_t>(size));
    for (std::size_t done = 0; done < into.size();) {
      const ssize_t got = pread(file.get(), into.data() + done, into.size() - done, static_cast<off_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return error_of(errno, "file in memory");
      done += static_cast<std::size_t>(got);
    }
    return ok_status();
  }

  Command command_;
  UniqueFd output_, errors_, timer_;
  std::optional<Child> child_;
};

// Runs when its end is waited for; or says why there is nothing to run.
class Later final : public Running {
 public:
  Later(Runner& runner, const Command& command) : runner_(runner), command_(command), input_(command.input) {}
  Result<Finished> finish() override {
    command_.input = input_;
    return runner_.run(command_);
  }

 private:
  Runner& runner_;
  Command command_;
  std::string input_;
};

class Failed final : public Running {
 public:
  explicit Failed(Error error) : error_(std::move(error)) {}
  Result<Finished> finish() override { return error_; }

 private:
  Error error_;
};

}  // namespace

std::unique_ptr<Running> Runner::start(const Command& command) { return std::make_unique<Later>(*this, command); }

std::unique_ptr<Running> ProcessRunner::start(const Command& command) {
  auto started = Process::start(command);
  if (!started.ok()) return std::make_unique<Failed>(started.error().within(to_string(command)));
  return std::move(started).value();
}

std::string to_string(const Command& command) {
  std::string out = command.program;
  for (const std::string& argument : command.arguments) out.append(" ").append(argument);
  return out;
}

Result<Finished> ProcessRunner::run(const Command& command) {
  Result<Finished> finished = run_once(command);
  if (!finished.ok()) return finished.error().within(to_string(command));
  return finished;
}

}  // namespace margay::exec
