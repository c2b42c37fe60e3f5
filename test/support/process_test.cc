#include "test/support/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace margay::test {
namespace {

TEST(RunProgram, GivesOutputsAndStatus) {
  const ProgramResult result =
      run_program({{"sh", "-c", "cat; echo oops >&2; echo $COLOUR; exit 3"}, {{"COLOUR", "red"}}, "hello\n", ""});
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(result.out, "hello\nred\n");
  EXPECT_EQ(result.err, "oops\n");
}

TEST(RunProgram, UnknownProgramFails) { EXPECT_EQ(run_program({{"/nonexistent"}, {}, "", ""}).exit_status, 127); }

TEST(ChildProcess, StopsOnSigterm) {
  ChildProcess child({{"sleep", "1000"}, {}, "", ""});
  EXPECT_TRUE(child.is_running());
  const int status = child.stop();
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  EXPECT_FALSE(child.is_running());
}

TEST(ChildProcess, IsGoneWithItsObject) {
  pid_t pid = 0;
  {
    ChildProcess child({{"sleep", "1000"}, {}, "", ""});
    pid = child.pid();
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(TempDir, IsRemovedWithItsContents) {
  std::string path;
  {
    TempDir dir;
    path = dir.path();
    write_text(dir.file("a"), "text");
    EXPECT_EQ(read_text(dir.file("a")), "text");
  }
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

}  // namespace
}  // namespace margay::test
