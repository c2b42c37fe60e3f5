// A byte stream after Established, with a second peer attached: whatever the first peer sends, the second one's session
// stays up, what it is told parses without a fault, and once the first is gone for good it is told of none of its
// routes.
//
// The first byte of the input chooses the kind of session (eBGP or iBGP, add-path, extended messages, graceful
// restart), the second how the stream is cut into pieces. All in virtual time.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/core/check.h"
#include "bgp/speaker/speaker_fixture.h"
#include "bgp/wire/encode.h"

namespace {

using namespace margay;
using namespace margay::bgp;
using std::chrono::seconds;

constexpr Asn kOurs{65000};
constexpr std::size_t kInputMax = 64 * 1024;

struct Kinds {
  bool is_internal, has_add_path, has_extended_messages, has_graceful_restart;
};

Kinds kinds_of(std::uint8_t bits) { return {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0}; }

std::string handshake(const Kinds& kinds, Asn asn, RouterId router_id) {
  Open open;
  open.asn = asn;
  open.hold_time_s = 0;  // so that only bytes end the session
  open.router_id = router_id;
  Capabilities& offered = open.capabilities;
  offered.four_octet_asn = asn;
  offered.route_refresh = true;
  offered.enhanced_route_refresh = true;
  offered.extended_message = kinds.has_extended_messages;
  if (kinds.has_graceful_restart) offered.graceful_restart = GracefulRestart{.restart_time_s = 120, .forwarding = {}};
  for (const Family family : kFamilies) {
    offered.multiprotocol.insert(afi_safi(family));
    if (kinds.has_add_path) offered.add_path[afi_safi(family)] = {.receive = true, .send = true};
    if (kinds.has_graceful_restart) offered.graceful_restart->forwarding[afi_safi(family)] = true;
  }
  std::string bytes;
  encode_open(open, bytes);
  encode_keepalive(bytes);
  return bytes;
}

// The peer that sends the input.
class Attacker {
 public:
  Attacker(session::SimInternet& internet, const IpAddress& address) : host_(internet.add_host({address})) {}

  void connect(const IpAddress& target) {
    handle_ = host_->connect({.remote = {target, kBgpPort}, .source = {}, .options = {}}, [this](auto result) {
      if (!result) return;
      connection_ = std::move(result).value();
      connection_->start({.on_bytes = [](bytes::View) {},
                          .on_writable = [] {},
                          .on_closed = [this](const std::string&) { is_closed_ = true; }});
    });
  }
  [[nodiscard]] bool is_connected() const { return connection_ != nullptr; }
  void send(std::string bytes) {
    if (!is_closed_) connection_->write({std::make_shared<const std::string>(std::move(bytes))});
  }
  void leave() { connection_.reset(); }

 private:
  std::unique_ptr<session::Transport> host_;
  std::unique_ptr<session::Handle> handle_;
  std::unique_ptr<session::Connection> connection_;
  bool is_closed_ = false;
};

void check_observer(const Node& observer, const Node& speaker) {
  const PeerSnapshot seen = observer.peer(speaker);
  MARGAY_CHECK(seen.state == fsm::State::kEstablished);
  MARGAY_CHECK(seen.times_established == 1);
  MARGAY_CHECK(seen.faults.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > kInputMax) return 0;
  const Kinds kinds = kinds_of(data[0]);
  loop::SimLoop loop;
  session::SimInternet internet(loop, 1);
  Node speaker(loop, internet, "10.0.0.1", kOurs);
  Node observer(loop, internet, "10.0.0.2", Asn(65002));
  Attacker attacker(internet, ip("10.0.0.3"));
  const Asn attacker_asn = kinds.is_internal ? kOurs : Asn(65003);

  PeerSettings& from_attacker = speaker.config.peers[PeerKey{ip("10.0.0.3"), kBgpPort}];
  from_attacker.remote_asn = attacker_asn;
  from_attacker.passive = true;
  from_attacker.families = {true, true};
  from_attacker.add_path_receive = {kinds.has_add_path, kinds.has_add_path};
  speaker.add_peer(observer).families = {true, true};
  observer.add_peer(speaker).families = {true, true};
  speaker.start();
  observer.start();
  MARGAY_CHECK(loop.run_until([&] { return observer.is_up(speaker); }, seconds(60)));

  attacker.connect(speaker.address());
  MARGAY_CHECK(loop.run_until([&] { return attacker.is_connected(); }, seconds(5)));
  attacker.send(handshake(kinds, attacker_asn, RouterId(0x0a000003)));
  loop.advance(seconds(1));
  MARGAY_CHECK(speaker.speaker().snapshot({}).peers[1].state == fsm::State::kEstablished);

  internet.set_conditions({.piece_bytes_max = data[1]});
  attacker.send(std::string(reinterpret_cast<const char*>(data + 2), size - 2));
  loop.advance(seconds(2));
  check_observer(observer, speaker);

  attacker.leave();
  loop.advance(seconds(600));  // past every restart time that can be asked for here
  check_observer(observer, speaker);
  MARGAY_CHECK(observer.best_prefixes().empty());
  return 0;
}
