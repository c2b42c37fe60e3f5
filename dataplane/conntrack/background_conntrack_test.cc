#include "dataplane/conntrack/background_conntrack.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "base/loop/asio_loop.h"

namespace margay::conntrack {
namespace {

using namespace std::chrono_literals;

// A kernel without connections, whose walks wait until they may go on.
class SlowKernel final : public netlink::Netlink {
 public:
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    int walks = 0;  // begun
    int may_end = 0;
    bool fails = false;
    void let_go() {
      const std::scoped_lock lock(mutex);
      ++may_end;
      changed.notify_all();
    }
    void wait_for_walks(int number) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return walks >= number; });
    }
    int begun() {
      const std::scoped_lock lock(mutex);
      return walks;
    }
  };
  explicit SlowKernel(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
  Status dump(const netlink::Batch&, const std::function<void()>& begin, const netlink::Visit&) override {
    begin();
    std::unique_lock lock(gate_->mutex);
    const int number = ++gate_->walks;
    gate_->changed.notify_all();
    gate_->changed.wait(lock, [&] { return gate_->may_end >= number; });
    if (gate_->fails) return Error{ErrorCode::kUnavailable, "away"};
    return ok_status();
  }
  Status ask(const netlink::Batch&, const netlink::Visit&) override { return ok_status(); }
  netlink::BatchReport apply(const netlink::Batch&) override { return {}; }
  [[nodiscard]] std::uint32_t port() const override { return 1; }

 private:
  std::shared_ptr<Gate> gate_;
};

class BackgroundConntrackTest : public testing::Test {
 protected:
  // The driver's end waits for a walk: one that a failed test left must not wait for ever.
  ~BackgroundConntrackTest() override {
    for (int i = 0; i < 10; ++i) gate_->let_go();
  }
  bool wait(const std::function<bool()>& condition) { return loop_.run_until(condition, 20s); }
  static IpAddress address(std::uint32_t number) { return IpAddress::v4(0x0a000000U + number); }

  loop::AsioLoop loop_;
  std::shared_ptr<SlowKernel::Gate> gate_ = std::make_shared<SlowKernel::Gate>();
  int done_ = 0;
  BackgroundConntrack driver_{loop_, std::make_unique<SlowKernel>(gate_), [this] { ++done_; }};
};

TEST_F(BackgroundConntrackTest, TheLoopGoesOnDuringAWalkAndWhatComesThenWaitsForTheNext) {
  EXPECT_TRUE(driver_.apply({}).is_in_sync());
  EXPECT_FALSE(driver_.is_busy()) << "nothing to do";
  driver_.flush(address(1));
  EXPECT_TRUE(driver_.apply({}).is_in_sync());
  EXPECT_TRUE(driver_.is_busy());
  bool went_on = false;
  loop_.post([&] { went_on = true; });
  ASSERT_TRUE(wait([&] { return went_on; }));
  gate_->wait_for_walks(1);
  driver_.flush(address(2));
  driver_.flush(address(3));
  EXPECT_TRUE(driver_.apply({}).is_in_sync());
  EXPECT_EQ(gate_->begun(), 1);
  gate_->let_go();
  ASSERT_TRUE(wait([&] { return done_ == 1; }));
  static_cast<void>(driver_.apply({}));
  gate_->wait_for_walks(2);
  gate_->let_go();
  ASSERT_TRUE(wait([&] { return done_ == 2; }));
  EXPECT_TRUE(driver_.apply({}).is_in_sync());
  EXPECT_FALSE(driver_.is_busy());
}

TEST_F(BackgroundConntrackTest, AWalkThatFailedIsMadeAgainWhenItsTimeHasCome) {
  gate_->fails = true;
  driver_.flush(address(1));
  static_cast<void>(driver_.apply({}));
  gate_->let_go();
  ASSERT_TRUE(wait([&] { return done_ == 1; }));
  const auto report = driver_.apply({});
  EXPECT_EQ(report.failed, 1U);
  ASSERT_TRUE(report.try_again_at);
  EXPECT_FALSE(driver_.is_busy()) << "not at once";
  EXPECT_EQ(driver_.apply({}).try_again_at, report.try_again_at);
  gate_->fails = false;
  gate_->let_go();
  static_cast<void>(driver_.apply(*report.try_again_at));
  ASSERT_TRUE(wait([&] { return done_ == 2; }));
  EXPECT_TRUE(driver_.apply(*report.try_again_at).is_in_sync());
}

TEST_F(BackgroundConntrackTest, ItsEndWaitsForTheWalk) {
  auto other = std::make_unique<BackgroundConntrack>(loop_, std::make_unique<SlowKernel>(gate_),
                                                     [] { ADD_FAILURE() << "it has gone"; });
  other->flush(address(1));
  static_cast<void>(other->apply({}));
  gate_->let_go();
  other.reset();
  EXPECT_EQ(gate_->begun(), 1);
  bool went_on = false;
  loop_.post([&] { went_on = true; });
  EXPECT_TRUE(wait([&] { return went_on; }));
}

}  // namespace
}  // namespace margay::conntrack
