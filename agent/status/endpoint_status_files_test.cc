#include "agent/status/endpoint_status_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/file/file.h"
#include "base/file/temp_dir.h"

namespace margay::status {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const WorkloadId kWeb{"k8s", "default/web-0", "eth0"};
const WorkloadId kDb{"k8s", "prod/db", "eth0"};

EndpointStatus status(std::string_view address) {
  EndpointStatus out;
  out.interface = "cali0123456789a";
  out.networks = {*IpPrefix::parse(address)};
  return out;
}

class EndpointStatusFilesTest : public ::testing::Test {
 protected:
  EndpointStatusFilesTest() { files.set_prefix(prefix); }

  std::vector<std::string> names() {
    std::vector<std::string> out;
    std::error_code missing;
    for (const auto& each : std::filesystem::directory_iterator(folder, missing)) {
      out.push_back(each.path().filename());
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  void write(const std::string& name, std::string_view content) {
    ASSERT_TRUE(file::write_file_atomically(folder + "/" + name, content).ok());
  }

  file::TempDir directory = std::move(file::TempDir::make()).value();
  const std::string prefix = directory.path() + "/run/calico";
  const std::string folder = prefix + "/endpoint-status";
  EndpointStatusFiles files;
};

TEST(EndpointStatus, IsWrittenAsCalicoReadsIt) {
  EndpointStatus all = status("10.48.0.5/32");
  all.networks.push_back(*IpPrefix::parse("fd00::5/128"));
  all.mac = *Mac::parse("ee:ee:ee:ee:ee:ee");
  all.bgp_peer_name = "peer-a";
  EXPECT_EQ(to_json(all), R"({"ifaceName":"cali0123456789a","mac":"ee:ee:ee:ee:ee:ee","ipv4Nets":["10.48.0.5/32"],)"
                          R"("ipv6Nets":["fd00::5/128"],"bgpPeerName":"peer-a"})");
  EXPECT_EQ(to_json(EndpointStatus{.interface = "cali1"}), R"({"ifaceName":"cali1"})");
}

TEST(EndpointStatus, NamesOfFilesAreDistinct) {
  EXPECT_EQ(file_name(kWeb), "k8s default%2fweb-0 eth0");
  EXPECT_NE(file_name({"k8s", "a/b", "eth0"}), file_name({"k8s", "a%2fb", "eth0"}));
  EXPECT_NE(file_name({"k8s", "a b", "c"}), file_name({"k8s", "a", "b c"}));
}

TEST_F(EndpointStatusFilesTest, AFileComesAndGoesWithItsEndpoint) {
  files.set(kWeb, status("10.48.0.5/32"));
  EXPECT_FALSE(files.is_done());
  ASSERT_TRUE(files.apply().ok());
  EXPECT_TRUE(files.is_done());
  EXPECT_THAT(names(), ElementsAre(file_name(kWeb)));
  EXPECT_EQ(*file::read_file(folder + "/" + file_name(kWeb)), to_json(status("10.48.0.5/32")));
  files.set(kWeb, status("10.48.0.5/32"));
  EXPECT_TRUE(files.is_done()) << "nothing changed";
  files.set(kWeb, std::nullopt);
  ASSERT_TRUE(files.apply().ok());
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(EndpointStatusFilesTest, ReconcileRepairsAndRemovesWhatIsNobodys) {
  files.set(kWeb, status("10.48.0.5/32"));
  files.set(kDb, status("10.48.0.6/32"));
  ASSERT_TRUE(files.apply().ok());
  write(file_name(kWeb), "{");
  ASSERT_EQ(::unlink((folder + "/" + file_name(kDb)).c_str()), 0);
  write("k8s old%2fpod eth0", "{}");
  ASSERT_TRUE(files.reconcile().ok());
  EXPECT_EQ(*file::read_file(folder + "/" + file_name(kWeb)), to_json(status("10.48.0.5/32")));
  EXPECT_THAT(names(), ElementsAre(file_name(kWeb), "k8s old%2fpod eth0", file_name(kDb)))
      << "not all endpoints are known yet";
  files.mark_in_sync();
  ASSERT_TRUE(files.reconcile().ok());
  EXPECT_THAT(names(), ElementsAre(file_name(kWeb), file_name(kDb)));
}

TEST_F(EndpointStatusFilesTest, ARestartAdoptsWhatIsThere) {
  files.set(kWeb, status("10.48.0.5/32"));
  ASSERT_TRUE(files.apply().ok());
  struct stat before {};
  ASSERT_EQ(::stat((folder + "/" + file_name(kWeb)).c_str(), &before), 0);
  EndpointStatusFiles again;
  again.set_prefix(prefix);
  again.set(kWeb, status("10.48.0.5/32"));
  again.mark_in_sync();
  ASSERT_TRUE(again.reconcile().ok());
  EXPECT_THAT(names(), ElementsAre(file_name(kWeb)));
}

TEST_F(EndpointStatusFilesTest, AnotherPrefixMovesThemAndNoneRemovesThem) {
  files.set(kWeb, status("10.48.0.5/32"));
  ASSERT_TRUE(files.apply().ok());
  const std::string other = directory.path() + "/other";
  files.set_prefix(other);
  ASSERT_TRUE(files.apply().ok());
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_TRUE(file::read_file(other + "/endpoint-status/" + file_name(kWeb)).ok());
  files.set_prefix("");
  EXPECT_FALSE(file::read_file(other + "/endpoint-status/" + file_name(kWeb)).ok());
  files.set(kDb, status("10.48.0.6/32"));
  EXPECT_TRUE(files.apply().ok());
  EXPECT_TRUE(files.reconcile().ok());
}

TEST_F(EndpointStatusFilesTest, AFailureStaysOnTheListAndDoesNotHideTheOthers) {
  ASSERT_EQ(::mkdir((directory.path() + "/run").c_str(), 0755), 0);
  ASSERT_TRUE(file::write_file_atomically(prefix, "a file where the folder should be").ok());
  files.set(kWeb, status("10.48.0.5/32"));
  EXPECT_FALSE(files.apply().ok());
  EXPECT_FALSE(files.is_done());
  ASSERT_EQ(::unlink(prefix.c_str()), 0);
  EXPECT_TRUE(files.apply().ok());
  EXPECT_THAT(names(), ElementsAre(file_name(kWeb)));
  // A folder in the place of one file.
  ASSERT_EQ(::mkdir((folder + "/" + file_name(kDb)).c_str(), 0755), 0);
  files.set(kDb, status("10.48.0.6/32"));
  files.set(kWeb, status("10.48.0.7/32"));
  EXPECT_FALSE(files.apply().ok());
  EXPECT_EQ(*file::read_file(folder + "/" + file_name(kWeb)), to_json(status("10.48.0.7/32")));
}

}  // namespace
}  // namespace margay::status
