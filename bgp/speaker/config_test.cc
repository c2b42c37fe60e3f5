#include "bgp/speaker/config.h"

#include <gmock/gmock.h>

#include <functional>

namespace margay::bgp {
namespace {

using std::chrono::seconds;

SpeakerConfig good() {
  SpeakerConfig config;
  config.router_id = RouterId(1);
  PeerSettings peer;
  peer.remote_asn = Asn(64513);
  config.peers[PeerKey{IpAddress::v4(0x0a000001), 179}] = peer;
  return config;
}

struct Case {
  const char* path;
  std::function<void(SpeakerConfig&, PeerSettings&)> spoil;
};

TEST(Validate, NamesTheFieldThatIsWrong) {
  EXPECT_TRUE(validate(good()).empty());
  const Case cases[] = {
      {"asn", [](auto& config, auto&) { config.asn = Asn(0); }},
      {"asn", [](auto& config, auto&) { config.asn = kAsTrans; }},
      {"router_id", [](auto& config, auto&) { config.router_id = RouterId(); }},
      {"multipath_max", [](auto& config, auto&) { config.multipath_max = 0; }},
      {"listen_addresses",
       [](auto& config, auto&) {
         config.listen_addresses = {IpAddress::v4(1), IpAddress::v4(1)};
       }},
      {"local_routes[0.0.0.0/0]", [](auto& config, auto&) { config.local_routes.resize(2); }},
      {"listen_ranges[0.0.0.0/0].range", [](auto& config, auto&) { config.listen_ranges.resize(2); }},
      {"peers[10.0.0.1].remote_asn", [](auto&, auto& peer) { peer.remote_asn = Asn(0); }},
      {"peers[10.0.0.1].local_asn", [](auto&, auto& peer) { peer.local_asn = Asn(65535); }},
      {"peers[10.0.0.1].hold_time", [](auto&, auto& peer) { peer.hold_time = seconds(2); }},
      {"peers[10.0.0.1].hold_time", [](auto&, auto& peer) { peer.hold_time = seconds(65536); }},
      {"peers[10.0.0.1].keepalive_time", [](auto&, auto& peer) { peer.keepalive_time = peer.hold_time; }},
      {"peers[10.0.0.1].restart_time", [](auto&, auto& peer) { peer.restart_time = seconds(4096); }},
      {"peers[10.0.0.1].long_lived_stale_time",
       [](auto&, auto& peer) {
         peer.restart_time.reset();
         peer.long_lived_stale_time = seconds(1);
       }},
      {"peers[10.0.0.1].ttl_security", [](auto&, auto& peer) { peer.ttl_security = std::uint8_t{255}; }},
      {"peers[10.0.0.1].multihop_ttl",
       [](auto&, auto& peer) {
         peer.ttl_security = std::uint8_t{1};
         peer.multihop_ttl = std::uint8_t{2};
       }},
      {"peers[10.0.0.1].password", [](auto&, auto& peer) { peer.password = std::string(81, 'p'); }},
      {"peers[10.0.0.1].shutdown_text", [](auto&, auto& peer) { peer.shutdown_text = std::string(256, 't'); }},
      {"peers[10.0.0.1].families",
       [](auto&, auto& peer) {
         peer.families = {false, false};
       }},
      {"peers[10.0.0.1].source_address", [](auto&, auto& peer) { peer.source_address = IpAddress::v6(1, 1); }},
      {"peers[10.0.0.1].connect_retry", [](auto&, auto& peer) { peer.connect_retry = {}; }},
      {"peers[10.0.0.1].delay_open", [](auto&, auto& peer) { peer.delay_open = seconds(241); }},
      {"peers[10.0.0.1].connect_delay", [](auto&, auto& peer) { peer.connect_delay = seconds(-1); }},
      {"peers[10.0.0.1].multihop_ttl", [](auto&, auto& peer) { peer.multihop_ttl = std::uint8_t{0}; }},
      {"peers[10.0.0.1].bfd.transmit_min", [](auto&, auto& peer) { peer.bfd = BfdConfig{.transmit_min = {}}; }},
      {"peers[10.0.0.1].bfd.receive_min", [](auto&, auto& peer) { peer.bfd = BfdConfig{.receive_min = {}}; }},
      {"peers[10.0.0.1].policy.own_asn_allowed", [](auto&, auto& peer) { peer.policy.own_asn_allowed = -1; }},
      {"peers[10.0.0.1].policy.prefix_limit.warn_percent",
       [](auto&, auto& peer) { peer.policy.prefix_limit[Family::kIpv6Unicast].warn_percent = 101; }},
      {"selection_deferral", [](auto& config, auto&) { config.selection_deferral = seconds(-1); }},
      {"listen_addresses", [](auto& config, auto&) { config.listen_addresses = {IpAddress::v4(0xe0000001)}; }},
      {"peers[10.0.0.1].bfd.multiplier", [](auto&, auto& peer) { peer.bfd = BfdConfig{.multiplier = 0}; }},
      {"peers[10.0.0.1].policy.is_client",
       [](auto&, auto& peer) {
         peer.policy.is_client = true;
         peer.policy.cluster_id = RouterId(1);
       }},
      {"peers[10.0.0.1].policy.send_paths_max", [](auto&, auto& peer) { peer.policy.send_paths_max = 0; }},
  };
  for (const Case& item : cases) {
    SpeakerConfig config = good();
    item.spoil(config, config.peers.begin()->second);
    const auto errors = validate(config);
    ASSERT_EQ(errors.size(), 1U) << item.path << ": " << to_string(errors);
    EXPECT_EQ(errors[0].path, item.path);
  }
}

TEST(Validate, TellsEverythingAtOnce) {
  SpeakerConfig config = good();
  config.asn = Asn(0);
  config.peers.begin()->second.hold_time = seconds(1);
  config.peers[PeerKey{IpAddress(), 0}] = {};
  EXPECT_EQ(validate(config).size(), 4U);
}

}  // namespace
}  // namespace margay::bgp
