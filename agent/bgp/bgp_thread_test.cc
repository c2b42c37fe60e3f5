#include "agent/bgp/bgp_thread.h"

#include <gtest/gtest.h>

#include "base/loop/asio_loop.h"

namespace margay::agent {
namespace {

constexpr Duration kLimit = std::chrono::seconds(20);  // for failures alone

class BgpThreadTest : public testing::Test {
 protected:
  std::unique_ptr<BgpThread> start() {
    return BgpThread::start({.owner = loop_, .on_routes = [](const route::RouteBatch&) {}, .has_bfd = false});
  }
  // Nobody is listened to or connected to.
  static SpeakerUpdate settings() {
    SpeakerUpdate update;
    update.settings.emplace();
    update.settings->router_id = RouterId(1);
    update.settings->listen_port = 0;
    return update;
  }
  std::optional<BgpSnapshot> ask(BgpThread& thread) {
    std::optional<BgpSnapshot> answer;
    thread.snapshot({}, [&](BgpSnapshot snapshot) { answer = std::move(snapshot); });
    EXPECT_TRUE(loop_.run_until([&] { return answer.has_value(); }, kLimit));
    return answer;
  }

  loop::AsioLoop loop_;
};

TEST_F(BgpThreadTest, ASpeakerBeginsWithSettingsAndAnOpenGate) {
  const auto thread = start();
  EXPECT_FALSE(ask(*thread)->is_running);
  thread->send(settings());
  EXPECT_FALSE(ask(*thread)->is_running) << "the dataplane has not spoken";
  thread->open_gate(false);
  const auto running = ask(*thread);
  EXPECT_TRUE(running->is_running && running->is_gate_open);
  EXPECT_EQ(running->refused, "");
  EXPECT_EQ(running->speaker.router_id, RouterId(1));
  thread->close_gate();
  const auto closed = ask(*thread);
  EXPECT_TRUE(closed->is_running && !closed->is_gate_open);
}

TEST_F(BgpThreadTest, AnEarlierLifeIsKnownToTheSpeaker) {
  const auto thread = start();
  thread->open_gate(true);
  SpeakerUpdate update = settings();
  update.peers[{IpAddress::v4(0x7f000b63), 1}].emplace().is_shut_down = true;
  thread->send(std::move(update));
  EXPECT_TRUE(ask(*thread)->speaker.restarting);
}

TEST_F(BgpThreadTest, WhatTheSpeakerRefusesIsSaid) {
  const auto thread = start();
  SpeakerUpdate update = settings();
  update.settings->asn = Asn(0);
  thread->send(std::move(update));
  thread->open_gate(false);
  EXPECT_NE(ask(*thread)->refused, "");
  thread->send(settings());
  EXPECT_EQ(ask(*thread)->refused, "");
}

TEST_F(BgpThreadTest, AnswersComeOnTheOwnersLoopAndNotAfterTheEnd) {
  auto thread = start();
  int beats = 0;
  thread->heartbeat([&] {
    EXPECT_TRUE(loop_.in_loop_thread());
    ++beats;
  });
  ASSERT_TRUE(loop_.run_until([&] { return beats == 1; }, kLimit));
  std::optional<Status> reset;
  thread->reset(IpAddress::v4(1), "test", [&](Status status) { reset = std::move(status); });
  ASSERT_TRUE(loop_.run_until([&] { return reset.has_value(); }, kLimit));
  EXPECT_FALSE(reset->ok());
  bool is_updated = false, is_stopped = false;
  thread->update_metrics([&] { is_updated = true; });
  thread->stop("bye", [&] { is_stopped = true; });
  ASSERT_TRUE(loop_.run_until([&] { return is_updated && is_stopped; }, kLimit));
  thread->heartbeat([&] { ++beats; });
  thread.reset();
  bool is_turned = false;
  loop_.post([&] { is_turned = true; });
  ASSERT_TRUE(loop_.run_until([&] { return is_turned; }, kLimit));
  EXPECT_EQ(beats, 1);
}

}  // namespace
}  // namespace margay::agent
