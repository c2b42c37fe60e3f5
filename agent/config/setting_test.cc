#include "agent/config/setting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/core/text.h"
#include "base/json/yaml.h"
#include "test/support/golden.h"

namespace margay::config {
namespace {

// A FelixConfiguration with every field there is.
json::Object whole_sample() {
  const char* source = std::getenv("MARGAY_SOURCE_DIR");
  std::ifstream file(concat(source == nullptr ? "." : source, "/datastore/codec/testdata/felixconfiguration.yaml"));
  std::stringstream text;
  text << file.rdbuf();
  const auto documents = json::parse_yaml(text.str());
  EXPECT_TRUE(documents.ok() && documents->size() == 1) << "the sample cannot be read";
  return *documents->front().value.find("spec")->as_object();
}

// "ok JSON" or "error".
std::string read(std::string_view name, std::string_view text) {
  const Setting* setting = find_local(name);
  if (setting == nullptr) return "no such setting";
  auto value = parse_text(*setting, text);
  if (value.ok()) value = canonical(*setting, *value);
  return value.ok() ? json::dump(*value) : concat("error: ", value.error().message);
}

TEST(Setting, EveryFieldOfTheObjectIsInTheTableOnce) {
  std::set<std::string> fields;
  for (const auto& [name, value] : whole_sample()) fields.insert(name);
  fields.erase("nodeSelector");
  std::set<std::string> rows;
  for (const Setting& setting : settings()) {
    EXPECT_TRUE(rows.emplace(setting.name).second) << setting.name << " stands twice";
  }
  EXPECT_EQ(rows, fields);
}

TEST(Setting, LocalNamesAreTakenOnceAndInAnyCase) {
  std::set<std::string> names;
  for (const Setting& setting : settings()) {
    EXPECT_TRUE(names.insert(to_lower(setting.local_name)).second) << setting.local_name;
  }
  EXPECT_EQ(find_local("IPINIPMTU"), find_setting("ipipMTU"));
  EXPECT_EQ(find_local("ipipmtu"), find_setting("ipipMTU"));
  EXPECT_EQ(find_local("iptablespostwritecheckintervalsecs"), find_setting("iptablesPostWriteCheckInterval"));
  EXPECT_EQ(find_local("nonesuch"), nullptr);
  EXPECT_EQ(find_setting("HealthPort"), nullptr) << "fields have one spelling";
}

TEST(Setting, EveryDefaultCanBeRead) {
  for (const Setting& setting : settings()) {
    if (setting.fallback.empty()) continue;
    EXPECT_THAT(read(setting.name, setting.fallback), ::testing::Not(::testing::StartsWith("error"))) << setting.name;
  }
}

// docs/settings.md is made from the table: UPDATE_GOLDEN=1 writes it.
TEST(Setting, TheDocumentationListsThemAll) {
  std::string page =
      "# All settings\n\nEvery field of FelixConfiguration, its name in files and the environment (there after "
      "`FELIX_`),\n"
      "the default in the form of a file, and whether it acts: *acts*; *not yet*: read and shown, the feature is not\n"
      "there (in brackets: which one); *none*: there is nothing here that it could be about.\n\n"
      "| field | in files | default | effect |\n|---|---|---|---|\n";
  std::map<std::string_view, const Setting*> sorted;
  for (const Setting& setting : settings()) sorted.emplace(setting.name, &setting);
  for (const auto& [name, setting] : sorted) {
    std::string fallback(setting->fallback);
    for (std::size_t at = fallback.find('|'); at != std::string::npos; at = fallback.find('|', at + 2)) {
      fallback.insert(at, "\\");
    }
    if (!fallback.empty()) fallback = concat("`", fallback, "`");
    page += concat("| ", name, " | ", setting->local_name, " | ", fallback, " | ", to_string(setting->effect),
                   setting->note.empty() ? "" : " (", setting->note, setting->note.empty() ? " |\n" : ") |\n");
  }
  test::expect_golden("docs/settings.md", page);
}

// The whole sample goes through, value by value, unchanged.
TEST(Setting, CanonicalValuesOfObjectsStayAsTheyAre) {
  for (const auto& [name, value] : whole_sample()) {
    const Setting* setting = find_setting(name);
    // The sample has values there that the rules on objects refuse.
    const bool is_refused = name == "prometheusMetricsClientAuth" || name == "routeTableRanges";
    if (setting == nullptr || is_refused) continue;
    const auto read = canonical(*setting, value);
    EXPECT_TRUE(read.ok()) << name << ": " << (read.ok() ? "" : read.error().message);
    if (!read.ok()) continue;
    EXPECT_EQ(json::dump(*read), json::dump(value)) << name;
  }
}

struct Case {
  const char* why;
  const char* name;
  const char* text;
  const char* expected;  // JSON; "error": any error
};

class Texts : public ::testing::TestWithParam<Case> {};

TEST_P(Texts, AreReadAsCalicoDoes) {
  const Case& row = GetParam();
  const std::string found = read(row.name, row.text);
  if (std::string_view(row.expected) == "error") {
    EXPECT_THAT(found, ::testing::StartsWith("error")) << row.why;
  } else {
    EXPECT_EQ(found, row.expected) << row.why;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Texts,
    ::testing::Values(
        Case{"bool words", "HealthEnabled", "Yes", "true"}, Case{"bool words", "healthenabled", "T", "true"},
        Case{"bool words", "IPV6SUPPORT", "0", "false"}, Case{"bool words", "ipv6Support", "n", "false"},
        Case{"no bool", "ipv6Support", "maybe", "error"}, Case{"none is zero", "ipv6Support", "None", "false"},
        Case{"decimal", "healthPort", " 9199 ", "9199"}, Case{"hex", "IpInIpMtu", "0x5a0", "1440"},
        Case{"octal of C", "IpInIpMtu", "010", "8"}, Case{"octal", "IpInIpMtu", "0o10", "8"},
        Case{"binary", "IpInIpMtu", "0b11", "3"}, Case{"negative", "goMaxProcs", "-1", "-1"},
        Case{"two signs", "goMaxProcs", "--1", "error"}, Case{"no number", "IpInIpMtu", "1440b", "error"},
        Case{"no digits", "IpInIpMtu", "0x", "error"}, Case{"above ports", "healthPort", "65536", "error"},
        Case{"below the range", "ipv4NormalRoutePriority", "0", "error"},
        Case{"overflow", "IpInIpMtu", "99999999999999999999", "error"},
        Case{"mark", "IptablesMarkMask", "0xff000000", "4278190080"},
        Case{"one bit", "IptablesMarkMask", "0x100", "error"},
        Case{"mark of 33 bits", "IptablesMarkMask", "0x1ffffffff", "error"},
        Case{"mark none", "IptablesMarkMask", "none", "error"}, Case{"text", "LogPrefix", "a b", "\"a b\""},
        Case{"text none", "LogFilePath", "None", "\"\""}, Case{"never none", "InterfacePrefix", "none", "error"},
        Case{"pattern", "MtuIfacePattern", "^eth.*", "\"^eth.*\""},
        Case{"bad pattern", "MtuIfacePattern", "eth(", "error"},
        Case{"word in any case", "ChainInsertMode", "APPEND", "\"Append\""},
        Case{"word of Calico's environment", "DefaultEndpointToHostAction", "ACCEPT", "\"Accept\""},
        Case{"word", "IPForwarding", "disabled", "\"Disabled\""}, Case{"no such word", "IPForwarding", "on", "error"},
        Case{"word none", "LogSeveritySys", "none", "\"None\""},
        Case{"word none is off", "FloatingIPs", "none", "\"Disabled\""},
        Case{"word without none", "ChainInsertMode", "none", "error"},
        Case{"seconds", "RouteRefreshInterval", "90", "\"1m30s\""},
        Case{"parts of seconds", "RouteRefreshInterval", "0.5", "\"500ms\""},
        Case{"with a unit", "RouteRefreshInterval", "2m", "\"2m0s\""},
        Case{"no time", "RouteRefreshInterval", "soon", "error"},
        Case{"not a number", "RouteRefreshInterval", "nan", "error"},
        Case{"for ever", "RouteRefreshInterval", "1e30", "error"}, Case{"off", "RouteRefreshInterval", "0", "\"0s\""},
        Case{"milliseconds", "IptablesLockProbeIntervalMillis", "50", "\"50ms\""},
        Case{"list", "KubeNodePortRanges", "30000:31000, 80", "[\"30000:31000\",80]"},
        Case{"reversed range", "KubeNodePortRanges", "31000:30000", "error"},
        Case{"list none", "KubeNodePortRanges", "none", "[]"},
        Case{"one range", "NATPortRange", "1024:2048", "\"1024:2048\""},
        Case{"address", "NATOutgoingAddress", "192.0.2.1", "\"192.0.2.1\""},
        Case{"address of the other family", "NATOutgoingAddress", "2001:db8::1", "error"},
        Case{"networks", "ExternalNodesCIDRList", "10.0.0.0/8,192.0.2.1", "[\"10.0.0.0/8\",\"192.0.2.1/32\"]"},
        Case{"IPv6 network", "ExternalNodesCIDRList", "2001:db8::/32", "error"},
        Case{"ports", "FailsafeInboundHostPorts", "tcp:22, udp:10.0.0.0/8:53, 80",
             "[{\"protocol\":\"TCP\",\"port\":22},{\"protocol\":\"UDP\",\"port\":53,\"net\":\"10.0.0.0/8\"},"
             "{\"protocol\":\"TCP\",\"port\":80}]"},
        Case{"IPv6 ports", "FailsafeInboundHostPorts", "tcp:[2001:db8::/32]:22",
             "[{\"protocol\":\"TCP\",\"port\":22,\"net\":\"2001:db8::/32\"}]"},
        Case{"no failsafe", "FailsafeInboundHostPorts", "none", "[]"},
        Case{"bad protocol", "FailsafeInboundHostPorts", "icmp:22", "error"},
        Case{"bad port", "FailsafeInboundHostPorts", "tcp:ssh", "error"},
        Case{"table range", "RouteTableRange", "1-250", "{\"min\":1,\"max\":250}"},
        Case{"table range above", "RouteTableRange", "1-251", "error"},
        Case{"table ranges", "RouteTableRanges", "1-5,300-400", "[{\"min\":1,\"max\":5},{\"min\":300,\"max\":400}]"},
        Case{"reversed tables", "RouteTableRanges", "5-1", "error"},
        Case{"map", "BPFLogFilters", "all=host 10.0.0.1,eth0=tcp", "{\"all\":\"host 10.0.0.1\",\"eth0\":\"tcp\"}"},
        Case{"no map", "BPFLogFilters", "all", "error"},
        Case{"timeouts", "BPFConntrackTimeouts", "TCPSynSent=5s,UDPTimeout=Auto",
             "{\"tcpSynSent\":\"5s\",\"udpTimeout\":\"Auto\"}"},
        Case{"no such state", "BPFConntrackTimeouts", "Closed=5s", "error"},
        Case{"named timeouts", "HealthTimeoutOverrides", "dataplane=30s",
             "[{\"name\":\"dataplane\",\"timeout\":\"30s\"}]"},
        Case{"no duration", "HealthTimeoutOverrides", "dataplane=30", "error"}));

}  // namespace
}  // namespace margay::config
