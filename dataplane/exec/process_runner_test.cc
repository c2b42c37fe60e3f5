#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>

#include "base/core/text.h"
#include "base/loop/unique_fd.h"
#include "dataplane/exec/fake_runner.h"
#include "dataplane/exec/runner.h"

namespace margay::exec {
namespace {

Command shell(std::string script) { return Command{.program = "sh", .arguments = {"-c", std::move(script)}}; }

TEST(ProcessRunner, StatusAndBothOutputsComeBack) {
  ProcessRunner runner;
  const auto finished = runner.run(shell("echo out; echo err >&2; exit 7"));
  ASSERT_TRUE(finished.ok());
  EXPECT_EQ(finished->status, 7);
  EXPECT_EQ(finished->signal, 0);
  EXPECT_EQ(finished->output, "out\n");
  EXPECT_EQ(finished->errors, "err\n");
  EXPECT_FALSE(finished->is_success());
}

TEST(ProcessRunner, InputLargerThanAnyPipeArrivesWhole) {
  std::string input;
  for (int line = 0; line < 500'000; ++line) input += concat("line ", line, "\n");
  ProcessRunner runner;
  const auto finished = runner.run(Command{.program = "cat", .input = input});
  ASSERT_TRUE(finished.ok());
  EXPECT_TRUE(finished->is_success());
  EXPECT_TRUE(finished->output == input);
}

TEST(ProcessRunner, ProgramThatReadsNothingOfItsInputIsNoTrouble) {
  const std::string input(10'000'000, 'x');
  ProcessRunner runner;
  const auto finished = runner.run(Command{.program = "true", .input = input});
  ASSERT_TRUE(finished.ok());
  EXPECT_TRUE(finished->is_success());
}

TEST(ProcessRunner, ArgumentsAreNotReadByAShell) {
  ProcessRunner runner;
  const auto finished = runner.run(Command{.program = "printf", .arguments = {"%s|", "$HOME", "a b", "\"", ""}});
  ASSERT_TRUE(finished.ok());
  EXPECT_EQ(finished->output, "$HOME|a b|\"||");
}

TEST(ProcessRunner, StartedProgramWorksBesideUs) {
  ProcessRunner runner;
  std::vector<std::unique_ptr<Running>> all;
  for (int number = 0; number < 3; ++number) {
    all.push_back(runner.start(shell(concat("head -c 3000000 /dev/zero; echo ", number, " >&2; exit ", number))));
  }
  for (int number = 0; number < 3; ++number) {
    const auto finished = all[static_cast<std::size_t>(number)]->finish();
    ASSERT_TRUE(finished.ok());
    EXPECT_EQ(finished->status, number);
    EXPECT_EQ(finished->output, std::string(3'000'000, '\0')) << "nobody read while it wrote";
    EXPECT_EQ(finished->errors, concat(number, '\n'));
  }
}

TEST(ProcessRunner, StartedProgramThatFailsSaysHowAtItsEnd) {
  ProcessRunner runner;
  const auto absent = runner.start(Command{.program = "margay-no-such-program"})->finish();
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code, ErrorCode::kNotFound);
  Command hanging = shell("sleep 600");
  hanging.time_limit = std::chrono::milliseconds(10);
  const auto late = runner.start(hanging)->finish();
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
  Command loud = shell("head -c 1000 /dev/zero");
  loud.output_max = 999;
  EXPECT_EQ(runner.start(loud)->finish().error().code, ErrorCode::kLimitExceeded);
}

TEST(ProcessRunner, StartedProgramThatNobodyWaitsForIsKilled) {
  ProcessRunner runner;
  (void)runner.start(shell("exec sleep 600"));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "and waited for";
}

TEST(ProcessRunner, ProgramThatIsNotThereIsNotFound) {
  ProcessRunner runner;
  const auto finished = runner.run(Command{.program = "margay-no-such-program", .arguments = {"-x"}});
  ASSERT_FALSE(finished.ok());
  EXPECT_EQ(finished.error().code, ErrorCode::kNotFound);
  EXPECT_NE(finished.error().message.find("margay-no-such-program -x"), std::string::npos) << finished.error().message;
}

TEST(ProcessRunner, SignalThatEndedItIsNamed) {
  ProcessRunner runner;
  const auto finished = runner.run(shell("kill -SEGV $$"));
  ASSERT_TRUE(finished.ok());
  EXPECT_EQ(finished->signal, SIGSEGV);
  EXPECT_FALSE(finished->is_success());
}

TEST(ProcessRunner, ProgramThatHangsIsKilledAndGone) {
  char path[] = "/tmp/margay-exec-XXXXXX";
  const loop::UniqueFd file(mkstemp(path));
  ASSERT_TRUE(file.is_open());
  ProcessRunner runner;
  Command command = shell(concat("echo $$ > ", path, "; exec sleep 600"));
  // Long enough for the shell to begin on a busy machine; what is waited for is the end, not a time.
  command.time_limit = std::chrono::milliseconds(500);
  const auto finished = runner.run(command);
  ASSERT_FALSE(finished.ok());
  EXPECT_EQ(finished.error().code, ErrorCode::kTimeout);
  char digits[32] = {};
  const ssize_t got = pread(file.get(), digits, sizeof digits - 1, 0);
  unlink(path);
  if (got <= 0) GTEST_SKIP() << "the shell did not get to run in its time";
  const auto pid = parse_number<pid_t>(trim(digits));
  ASSERT_TRUE(pid.has_value());
  EXPECT_EQ(kill(*pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(ProcessRunner, ProgramThatWritesWithoutEndIsStopped) {
  ProcessRunner runner;
  Command command{.program = "yes"};
  command.output_max = 1 << 20;
  const auto finished = runner.run(command);
  ASSERT_FALSE(finished.ok());
  EXPECT_EQ(finished.error().code, ErrorCode::kLimitExceeded);
}

TEST(ProcessRunner, ChildOfTheProgramThatKeepsTheOutputOpenIsNotWaitedFor) {
  ProcessRunner runner;
  const auto finished = runner.run(shell("sleep 3 & echo done"));
  ASSERT_TRUE(finished.ok());
  EXPECT_EQ(finished->output, "done\n");
}

TEST(ProcessRunner, OnlyTheStandardDescriptorsAreHandedDown) {
  // Deliberately without O_CLOEXEC.
  const loop::UniqueFd leaked(open("/dev/null", O_RDONLY));
  ASSERT_TRUE(leaked.is_open());
  ProcessRunner runner;
  const auto finished = runner.run(Command{.program = "ls", .arguments = {"/proc/self/fd"}});
  ASSERT_TRUE(finished.ok());
  EXPECT_EQ(finished->output, "0\n1\n2\n3\n");  // 3 is the directory it reads
}

TEST(ProcessRunner, DescriptorsOfOursAreClosedAgain) {
  const auto lowest_free = [] {
    const loop::UniqueFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    return fd.get();
  };
  const int before = lowest_free();
  ProcessRunner runner;
  for (int run = 0; run < 20; ++run) {
    ASSERT_TRUE(runner.run(shell("exit 3")).ok());
    ASSERT_FALSE(runner.run(Command{.program = "/nowhere/program"}).ok());
  }
  EXPECT_EQ(lowest_free(), before);
}

TEST(ProcessRunner, SignalsThatWeBlockAreNotBlockedForIt) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &blocked, &before), 0);
  ProcessRunner runner;
  const auto finished = runner.run(shell("kill -TERM $$; exit 0"));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ASSERT_TRUE(finished.ok());
  EXPECT_EQ(finished->signal, SIGTERM);
}

TEST(FakeRunner, RemembersWhatItWasAskedFor) {
  FakeRunner runner([](const Command&) { return Finished{.status = 1}; });
  EXPECT_EQ(runner.run(Command{.program = "a", .arguments = {"b"}, .input = "c"})->status, 1);
  EXPECT_EQ(runner.commands(), std::vector<std::string>{"a b"});
  EXPECT_EQ(runner.inputs(), std::vector<std::string>{"c"});
}

}  // namespace
}  // namespace margay::exec
