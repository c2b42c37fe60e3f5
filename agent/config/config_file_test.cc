#include "agent/config/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace margay::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ConfigFile, EntriesStandInSectionsWithoutMeaning) {
  const auto content = parse_config_file("[global]\nDatastoreType = kubernetes\n[other]\nLogSeverityScreen: debug\n");
  EXPECT_THAT(content.entries,
              ElementsAre(FileEntry{2, "DatastoreType", "kubernetes"}, FileEntry{4, "LogSeverityScreen", "debug"}));
  EXPECT_THAT(content.bad_lines, IsEmpty());
}

TEST(ConfigFile, CommentsAndQuotesAreTakenAway) {
  const auto content = parse_config_file("# one\n; two\n\n A = 1 # three\nB=\"x # y\" # z\nC=a#b\r\nD=\nE='q\n");
  EXPECT_THAT(content.entries, ElementsAre(FileEntry{4, "A", "1"}, FileEntry{5, "B", "x # y"}, FileEntry{6, "C", "a#b"},
                                           FileEntry{7, "D", ""}, FileEntry{8, "E", "'q"}));
}

TEST(ConfigFile, TheFirstSeparatorOfALineCounts) {
  const auto content = parse_config_file("FailsafeInboundHostPorts = tcp:22,udp:68\nUrl: http://x=y\n");
  EXPECT_THAT(content.entries, ElementsAre(FileEntry{1, "FailsafeInboundHostPorts", "tcp:22,udp:68"},
                                           FileEntry{2, "Url", "http://x=y"}));
}

TEST(ConfigFile, LinesThatAreNothingAreToldByNumber) {
  const auto content = parse_config_file("what\n= x\nA=1\n[unclosed\n");
  EXPECT_THAT(content.bad_lines, ElementsAre(1U, 2U, 4U));
  EXPECT_THAT(content.entries, ElementsAre(FileEntry{3, "A", "1"}));
}

}  // namespace
}  // namespace margay::config
