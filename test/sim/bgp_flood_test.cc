// Two hundred peers that flood us with UPDATEs, and BFD on the same loop: its packets leave and are read in time,
// because what connections have to read is done in turns of bounded length (bgp/session/turn_queue.h).
#include <gmock/gmock.h>

#include <algorithm>
#include <deque>

#include "base/core/random.h"
#include "base/loop/loop.h"
#include "bgp/bfd/session.h"
#include "bgp/session/socket_connection.h"
#include "bgp/session/turn_queue.h"

namespace margay::bgp {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kPeers = 200;
// What 64 KiB of UPDATEs with a prefix each take, generously.
constexpr Duration kPiece = microseconds(2500);

// A loop on which work takes time: whoever works moves its clock.
class BusyLoop final : public loop::Loop {
 public:
  void post(Task task) override { tasks_.push_back(std::move(task)); }
  std::unique_ptr<loop::Timer> make_timer(Task) override { return nullptr; }
  [[nodiscard]] TimePoint now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override { return {}; }
  [[nodiscard]] bool in_loop_thread() const override { return true; }

  void spend(Duration time) { now_ += time; }
  bool run_one() {
    if (tasks_.empty()) return false;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    task();
    return true;
  }

 private:
  std::deque<Task> tasks_;
  TimePoint now_{};
};

// Our BFD session on the busy loop, and the peer's on a machine with nothing else to do.
class Flood {
 public:
  explicit Flood(Duration budget) : reads_(loop_, budget) {}

  // Between two tasks of the loop sockets and timers are looked at.
  void run(Duration time) {
    for (const TimePoint end = loop_.now() + time; loop_.now() < end;) {
      let_peer_send();
      for (const bfd::ControlPacket& packet : std::exchange(inbox_, {})) send(ours_.receive(packet, loop_.now()));
      const auto deadline = ours_.next_deadline();
      if (deadline && *deadline <= loop_.now()) {
        latest_ = std::max(latest_, loop_.now() - *deadline);
        send(ours_.on_time(loop_.now()));
      }
      if (!loop_.run_one()) loop_.spend(milliseconds(1));
    }
  }
  void begin() {
    latest_ = {};
    for (int peer = 0; peer < kPeers; ++peer) {
      reads_.add([this] {
        loop_.spend(kPiece);
        return true;
      });
    }
  }
  [[nodiscard]] bool is_up() const { return ours_.state() == bfd::State::kUp && peers_.state() == bfd::State::kUp; }
  [[nodiscard]] Duration latest() const { return latest_; }

 private:
  void let_peer_send() {
    for (auto at = peers_.next_deadline(); at && *at <= loop_.now(); at = peers_.next_deadline()) {
      for (const bfd::ControlPacket& packet : peers_.on_time(*at).packets) inbox_.push_back(packet);
    }
  }
  void send(const bfd::Outcome& outcome) {
    for (const bfd::ControlPacket& packet : outcome.packets) {
      for (const bfd::ControlPacket& answer : peers_.receive(packet, loop_.now()).packets) inbox_.push_back(answer);
    }
  }

  static constexpr bfd::SessionConfig kConfig{.transmit_min = milliseconds(50), .receive_min = milliseconds(50)};
  BusyLoop loop_;
  SeededRandom random_{1};
  session::TurnQueue reads_;
  bfd::Session ours_{1, kConfig, random_, TimePoint{}};
  bfd::Session peers_{2, kConfig, random_, TimePoint{}};
  std::vector<bfd::ControlPacket> inbox_;
  Duration latest_{};
};

TEST(BgpFlood, BfdIsOnTimeWhileAllPeersFlood) {
  Flood flood(session::SocketShared::kTurn);
  flood.run(seconds(10));
  ASSERT_TRUE(flood.is_up());
  flood.begin();
  for (int second = 0; second < 30; ++second) {
    flood.run(seconds(1));
    ASSERT_TRUE(flood.is_up()) << "after " << second << " s";
  }
  EXPECT_LE(flood.latest(), session::SocketShared::kTurn + kPiece);
}

}  // namespace
}  // namespace margay::bgp
