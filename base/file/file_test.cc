#include "base/file/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file/temp_dir.h"
#include "gtest/gtest.h"

namespace margay::file {
namespace {

class Files : public testing::Test {
 protected:
  [[nodiscard]] std::string at(std::string_view name) const { return dir_.at(name); }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
      out.push_back(entry.path().filename().string());
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  TempDir dir_ = TempDir::make().value();
};

mode_t mode_of(const std::string& path) {
  struct stat found {};
  EXPECT_EQ(stat(path.c_str(), &found), 0);
  return found.st_mode & 07777;
}

using ReadFile = Files;
using WriteFile = Files;

TEST_F(WriteFile, IsReadBackWithAnyBytes) {
  std::string content = "a\nb";
  content.push_back('\0');
  content.append(100'000, '\xff');
  ASSERT_TRUE(write_file_atomically(at("x"), content).ok());
  EXPECT_EQ(read_file(at("x")).value(), content);
  EXPECT_EQ(mode_of(at("x")), 0644U);
  ASSERT_TRUE(write_file_atomically(at("empty"), "").ok());
  EXPECT_EQ(read_file(at("empty")).value(), "");
}

TEST_F(WriteFile, ReplacesContentAndModeAndLeavesNothingBeside) {
  ASSERT_TRUE(write_file_atomically(at("x"), "old").ok());
  ASSERT_TRUE(write_file_atomically(at("x"), "new", 0600).ok());
  EXPECT_EQ(read_file(at("x")).value(), "new");
  EXPECT_EQ(mode_of(at("x")), 0600U);
  EXPECT_EQ(names(), std::vector<std::string>{"x"});
}

void touch(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_GE(fd, 0);
  (void)::close(fd);
}

TEST_F(WriteFile, UpdatingLeavesAFileThatIsAsItShouldBe) {
  ASSERT_TRUE(update_file_atomically(at("f"), "one", 0600).ok());
  struct stat before {};
  ASSERT_EQ(stat(at("f").c_str(), &before), 0);
  ASSERT_TRUE(update_file_atomically(at("f"), "one", 0600).ok());
  struct stat after {};
  ASSERT_EQ(stat(at("f").c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  ASSERT_TRUE(update_file_atomically(at("f"), "two", 0640).ok());
  EXPECT_EQ(read_file(at("f")).value(), "two");
  EXPECT_EQ(mode_of(at("f")), 0640U);
  EXPECT_EQ(names(), std::vector<std::string>{"f"});
}

TEST_F(WriteFile, LeftoversOfACrashGoWithTheNextWriteOfTheirTarget) {
  const std::vector<std::string> kept = {"other.margay-abcdef", "x.margay-abcde", "x.margay-abcdefg", "x.margayabcdef_",
                                         "xx.margay-abcdef"};
  for (const std::string& name : kept) touch(at(name));
  for (const char* leftover : {"x.margay-abcdef", "x.margay-012345"}) touch(at(leftover));
  ASSERT_EQ(::mkdir(at("x.margay-folder").c_str(), 0700), 0);
  ASSERT_EQ(::symlink(at("other.margay-abcdef").c_str(), at("x.margay-alinks").c_str()), 0);
  ASSERT_TRUE(write_file_atomically(at("x"), "new").ok());
  std::vector<std::string> expected = kept;
  expected.insert(expected.end(), {"x", "x.margay-folder", "x.margay-alinks"});
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(names(), expected);
  EXPECT_EQ(read_file(at("x")).value(), "new");
}

TEST_F(WriteFile, KilledWriterLeavesOneFileUntilTheNextWrite) {
  const std::string target = at("x");
  const pid_t child = ::fork();
  if (child == 0) {
    // The limit on the size of files kills the writer in the middle.
    const rlimit limit{4096, 4096};
    (void)::setrlimit(RLIMIT_FSIZE, &limit);
    (void)::signal(SIGXFSZ, SIG_DFL);
    (void)write_file_atomically(target, std::string(1'000'000, 'x'));
    ::_exit(0);
  }
  int ended = 0;
  ASSERT_EQ(::waitpid(child, &ended, 0), child);
  ASSERT_TRUE(WIFSIGNALED(ended));
  ASSERT_EQ(names().size(), 1U);
  EXPECT_EQ(names()[0].find("x.margay-"), 0U) << names()[0];
  ASSERT_TRUE(write_file_atomically(target, "new").ok());
  EXPECT_EQ(names(), std::vector<std::string>{"x"});
}

TEST_F(WriteFile, WhatAnotherIsWritingIsLeftAlone) {
  touch(at("x.margay-abcdef"));
  const int held = ::open(at("x.margay-abcdef").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::flock(held, LOCK_EX), 0);
  ASSERT_TRUE(write_file_atomically(at("x"), "new").ok());
  EXPECT_EQ(names(), (std::vector<std::string>{"x", "x.margay-abcdef"}));
  (void)::close(held);
}

TEST_F(WriteFile, ManyWritersAtOnceAllSucceed) {
  constexpr int kWriters = 8;
  std::vector<pid_t> children;
  for (int i = 0; i < kWriters; ++i) {
    children.push_back(::fork());
    if (children.back() != 0) continue;
    bool is_fine = true;
    for (int j = 0; j < 50; ++j)
      is_fine = is_fine && write_file_atomically(at("x"), std::string(1000, static_cast<char>('a' + i))).ok();
    ::_exit(is_fine ? 0 : 1);
  }
  for (const pid_t child : children) {
    int ended = 0;
    ASSERT_EQ(::waitpid(child, &ended, 0), child);
    EXPECT_EQ(ended, 0);
  }
  EXPECT_EQ(names(), std::vector<std::string>{"x"});
  const std::string content = read_file(at("x")).value();
  EXPECT_EQ(content, std::string(1000, content.at(0)));
}

TEST_F(WriteFile, HoldersOfTheOldFileKeepTheOldContent) {
  ASSERT_TRUE(write_file_atomically(at("x"), "old").ok());
  ASSERT_EQ(link(at("x").c_str(), at("held").c_str()), 0);
  ASSERT_TRUE(write_file_atomically(at("x"), "new").ok());
  EXPECT_EQ(read_file(at("held")).value(), "old");
}

TEST_F(WriteFile, ReplacesALinkInsteadOfFollowingIt) {
  ASSERT_TRUE(write_file_atomically(at("target"), "target").ok());
  ASSERT_EQ(symlink("target", at("link").c_str()), 0);
  ASSERT_TRUE(write_file_atomically(at("link"), "new").ok());
  EXPECT_EQ(read_file(at("target")).value(), "target");
  EXPECT_EQ(read_file(at("link")).value(), "new");
}

TEST_F(WriteFile, FailureLeavesEverythingAsItWas) {
  ASSERT_EQ(mkdir(at("folder").c_str(), 0700), 0);
  ASSERT_TRUE(write_file_atomically(at("folder/inside"), "x").ok());
  EXPECT_FALSE(write_file_atomically(at("folder"), "y").ok());
  EXPECT_EQ(names(), std::vector<std::string>{"folder"});
  const Status status = write_file_atomically(at("none/x"), "y");
  EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
  EXPECT_NE(status.error().message.find(at("none/x")), std::string::npos);
}

TEST_F(ReadFile, MissingIsNotFound) {
  const Result<std::string> result = read_file(at("none"));
  EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(result.error().message, at("none") + ": cannot open: No such file or directory");
}

TEST_F(ReadFile, OnlyRegularFilesAreRead) {
  EXPECT_EQ(read_file(dir_.path()).error().code, ErrorCode::kInvalid);
  ASSERT_EQ(mkfifo(at("fifo").c_str(), 0600), 0);
  EXPECT_EQ(read_file(at("fifo")).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(read_file("/dev/zero").error().code, ErrorCode::kInvalid);
}

TEST_F(ReadFile, StopsAtTheLimit) {
  ASSERT_TRUE(write_file_atomically(at("x"), std::string(100, 'x')).ok());
  EXPECT_EQ(read_file(at("x"), 100).value().size(), 100U);
  const Result<std::string> result = read_file(at("x"), 99);
  EXPECT_EQ(result.error().code, ErrorCode::kLimitExceeded);
  EXPECT_NE(result.error().message.find("99 bytes"), std::string::npos);
}

TEST(FileError, CodeFollowsErrno) {
  EXPECT_EQ(error_of(EACCES, "/x", "cannot open").code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(error_of(ENOSPC, "/x", "cannot write").code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(error_of(EIO, "/x", "cannot read").code, ErrorCode::kInternal);
  EXPECT_EQ(error_of(EACCES, "/x", "cannot open").message, "/x: cannot open: Permission denied");
}

TEST(TempDir, IsPrivateAndGoesWithEverythingInIt) {
  std::string path;
  {
    const TempDir dir = TempDir::make().value();
    path = dir.path();
    EXPECT_EQ(mode_of(path), 0700U);
    ASSERT_EQ(mkdir(dir.at("a").c_str(), 0700), 0);
    ASSERT_TRUE(write_file_atomically(dir.at("a/b"), "x").ok());
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(TempDir, MovesItsDuty) {
  TempDir first = TempDir::make().value();
  const std::string path = first.path();
  {
    const TempDir second = std::move(first);
    EXPECT_EQ(second.path(), path);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(TempDir, NeedsAParent) { EXPECT_EQ(TempDir::make("/nowhere").error().code, ErrorCode::kNotFound); }

}  // namespace
}  // namespace margay::file
