// Real folders, real files.
#include "cni/plugin/install.h"

#include <sys/stat.h>

#include <string>

#include "base/file/file.h"
#include "base/file/temp_dir.h"
#include "base/json/value.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::cni {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string content(const std::string& path) { return file::read_file(path).value_or("absent"); }

class Install : public testing::Test {
 protected:
  void SetUp() override {
    write("program",
          "\x7f"
          "ELF first",
          0755);
    options_.bin_dir = path("host/opt/cni/bin");
    options_.conf_dir = path("host/etc/cni/net.d");
    options_.program = path("program");
  }
  std::string path(const std::string& name) { return folder_.path() + "/" + name; }
  void write(const std::string& name, const std::string& text, mode_t mode = 0644) {
    ASSERT_TRUE(file::write_file_atomically(path(name), text, mode).ok());
  }
  json::Value config() { return json::parse(content(options_.conf_dir + "/10-margay.conflist")).value_or({}); }
  std::vector<std::string> plugins() {
    std::vector<std::string> types;
    const json::Value all = config();
    if (const json::Value* list = all.find("plugins")) {
      for (const json::Value& each : *list->as_array()) types.emplace_back(each.string_at({"type"}));
    }
    return types;
  }

  file::TempDir folder_ = file::TempDir::make().value();
  InstallOptions options_;
};

TEST_F(Install, PutsTheProgramUnderBothNamesAndThenTheConfiguration) {
  const auto done = install(options_);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_THAT(done.value(), ElementsAre(HasSubstr("/margay is new"), HasSubstr("/margay-ipam is new"),
                                        HasSubstr("/10-margay.conflist is new")));
  for (const char* name : {"/margay", "/margay-ipam"}) {
    EXPECT_EQ(content(options_.bin_dir + name), content(options_.program));
    struct stat found {};
    ASSERT_EQ(::stat((options_.bin_dir + name).c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777, 0755U);
  }
  EXPECT_EQ(config().string_at({"name"}), "k8s-pod-network");
  EXPECT_EQ(config().string_at({"cniVersion"}), "0.4.0");
  EXPECT_THAT(plugins(), ElementsAre("margay"));
}

TEST_F(Install, WhatIsThereAndTheSameIsNotTouched) {
  ASSERT_TRUE(install(options_).ok());
  struct stat before {};
  ASSERT_EQ(::stat((options_.bin_dir + "/margay").c_str(), &before), 0);
  EXPECT_THAT(install(options_).value(), testing::Each(HasSubstr("is as it should be")));
  struct stat after {};
  ASSERT_EQ(::stat((options_.bin_dir + "/margay").c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST_F(Install, AnOlderVersionAndAnEditedConfigurationAreReplaced) {
  ASSERT_TRUE(install(options_).ok());
  write("program",
        "\x7f"
        "ELF second",
        0755);
  write("host/etc/cni/net.d/10-margay.conflist", "{}");
  EXPECT_THAT(install(options_).value(), testing::Each(HasSubstr("is replaced")));
  EXPECT_EQ(content(options_.bin_dir + "/margay"),
            "\x7f"
            "ELF second");
  EXPECT_THAT(plugins(), ElementsAre("margay"));
}

TEST_F(Install, OthersPluginsAreAddedButNeverReplaced) {
  ASSERT_TRUE(install(options_).ok());
  ASSERT_EQ(::mkdir(path("others").c_str(), 0755), 0);
  write("others/portmap", "ours", 0755);
  write("others/loopback", "ours", 0755);
  write("host/opt/cni/bin/loopback", "the host's", 0755);
  options_.plugins_dir = path("others");
  ASSERT_TRUE(install(options_).ok());
  EXPECT_EQ(content(options_.bin_dir + "/portmap"), "ours");
  EXPECT_EQ(content(options_.bin_dir + "/loopback"), "the host's");
  // A chain with a plugin that the host lacks would fail every pod.
  EXPECT_THAT(plugins(), ElementsAre("margay", "portmap"));
}

TEST_F(Install, AConfigurationOfTheUsersIsTakenIfItCanWork) {
  options_.config = path("own.conflist");
  const std::string good = R"({"name":"n","plugins":[{"type":"margay","mtu":1400},{"type":"tuning"}]})";
  write("own.conflist", good);
  ASSERT_TRUE(install(options_).ok());
  EXPECT_EQ(content(options_.conf_dir + "/10-margay.conflist"), good);
  const std::pair<const char*, const char*> bad[] = {{"{", "own.conflist"},
                                                     {R"({"plugins":[{"type":"margay"}]})", "name"},
                                                     {R"({"name":"n","plugins":[]})", "plugins"},
                                                     {R"({"name":"n","type":"margay"})", "plugins"},
                                                     {R"({"name":"n","plugins":[{"type":"bridge"}]})", "margay"}};
  for (const auto& [text, word] : bad) {
    write("own.conflist", text);
    const auto done = install(options_);
    ASSERT_FALSE(done.ok()) << text;
    EXPECT_THAT(done.error().message, HasSubstr(word));
    EXPECT_EQ(content(options_.conf_dir + "/10-margay.conflist"), good);
  }
}

TEST_F(Install, TheRuntimeMayPreferAnotherConfiguration) {
  ASSERT_TRUE(install(options_).ok());
  write("host/etc/cni/net.d/05-other.conf", "{}");
  write("host/etc/cni/net.d/05-other.bak", "{}");
  write("host/etc/cni/net.d/99-later.conflist", "{}");
  const auto done = install(options_).value();
  EXPECT_EQ(done.size(), 4U);
  EXPECT_THAT(done.back(), HasSubstr("05-other.conf comes before 10-margay.conflist"));
}

TEST_F(Install, TheConfigurationIsNotThereBeforeThePrograms) {
  options_.program = path("absent");
  EXPECT_FALSE(install(options_).ok());
  EXPECT_EQ(content(options_.conf_dir + "/10-margay.conflist"), "absent");
}

TEST_F(Install, OptionsAreTakenByName) {
  EXPECT_EQ(run_install({"install", "--help"}), 0);
  const std::vector<std::vector<std::string>> bad = {{"ADD"},
                                                     {},
                                                     {"install", "--mtu"},
                                                     {"install", "--mtu=67"},
                                                     {"install", "--mtu=x"},
                                                     {"install", "--bin-dir="},
                                                     {"install", "x"}};
  for (const auto& arguments : bad) EXPECT_EQ(run_install(arguments), 2);
  EXPECT_EQ(run_install({"install", "--bin-dir", options_.bin_dir, "--conf-dir=" + options_.conf_dir, "--mtu", "1400",
                         "--socket=/s", "--network=n"}),
            0);
  const json::Value written = config();
  EXPECT_EQ(written.string_at({"name"}), "n");
  const json::Value& ours = written.find("plugins")->as_array()->front();
  EXPECT_EQ(ours.string_at({"socket"}), "/s");
  EXPECT_EQ(*ours.find("mtu")->as_integer(), 1400);
}

}  // namespace
}  // namespace margay::cni
