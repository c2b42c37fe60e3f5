#include "dataplane/sysctl/sysctl_tree.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <string>
#include <thread>

#include "base/file/file.h"
#include "base/file/temp_dir.h"
#include "dataplane/sysctl/sysctl_driver.h"

namespace margay::sysctl {
namespace {

TEST(FileSysctlTree, ReadsAndWritesFilesButMakesNone) {
  const file::TempDir folder = file::TempDir::make().value();
  ASSERT_TRUE(file::write_file_atomically(folder.at("ip_forward"), "0\n").ok());
  FileSysctlTree tree(folder.path());
  EXPECT_EQ(tree.read("ip_forward").value(), "0");
  EXPECT_TRUE(tree.write("ip_forward", "1").ok());
  EXPECT_EQ(file::read_file(folder.at("ip_forward")).value(), "1\n");
  EXPECT_EQ(tree.read("absent").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(tree.write("absent", "1").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(file::read_file(folder.at("absent")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(tree.read("ip_forward/below").error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(tree.read("").ok()) << "a folder";
}

TEST(FileSysctlTree, TheKernelsOwnAnswersAreUnderstood) {
  FileSysctlTree tree;
  const auto value = tree.read("net/ipv4/conf/lo/forwarding");
  if (!value.ok()) GTEST_SKIP() << value.error().message;
  EXPECT_TRUE(*value == "0" || *value == "1") << *value;
  EXPECT_EQ(tree.read("net/ipv4/conf/no-such-interface/forwarding").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(tree.write("net/ipv4/conf/no-such-interface/forwarding", "1").error().code, ErrorCode::kNotFound);
}

TEST(FileSysctlTree, SettingsAreThoseOfTheThreadsNetworkNamespace) {
  const std::string path = "net/ipv4/conf/lo/route_localnet";
  FileSysctlTree tree;
  const auto before = tree.read(path);
  if (!before.ok()) GTEST_SKIP() << before.error().message;
  const std::string other = *before == "1" ? "0" : "1";
  std::string there = "not allowed to make a network namespace";
  std::thread elsewhere([&] {
    if (unshare(CLONE_NEWNET) != 0) return;
    const Status written = tree.write(path, other);
    there = written.ok() ? tree.read(path).value() : written.error().message;
  });
  elsewhere.join();
  if (there != other) GTEST_SKIP() << there;
  EXPECT_EQ(tree.read(path).value(), *before) << "ours is as it was";
}

}  // namespace
}  // namespace margay::sysctl
