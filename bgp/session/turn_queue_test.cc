#include "bgp/session/turn_queue.h"

#include <gmock/gmock.h>

#include "base/loop/sim_loop.h"

namespace margay::bgp::session {
namespace {

using std::chrono::milliseconds;

// A loop on which work takes time: the test moves its clock.
class CostlyLoop final : public loop::Loop {
 public:
  void post(Task task) override { tasks_.push_back(std::move(task)); }
  std::unique_ptr<loop::Timer> make_timer(Task) override { return nullptr; }
  [[nodiscard]] TimePoint now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override { return {}; }
  [[nodiscard]] bool in_loop_thread() const override { return true; }

  void spend(Duration time) { now_ += time; }
  // One task; false: there is none.
  bool turn() {
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

TEST(TurnQueue, EverybodyGetsAPieceBeforeAnybodyGetsTwo) {
  CostlyLoop loop;
  TurnQueue queue(loop, milliseconds(100));
  std::vector<int> order;
  for (int who = 0; who < 3; ++who) {
    queue.add([&order, who, left = 2]() mutable {
      order.push_back(who);
      return --left > 0;
    });
  }
  EXPECT_TRUE(order.empty()) << "never from inside add()";
  while (loop.turn()) continue;
  EXPECT_THAT(order, testing::ElementsAre(0, 1, 2, 0, 1, 2));
}

TEST(TurnQueue, ATurnEndsWithItsBudget) {
  CostlyLoop loop;
  TurnQueue queue(loop, milliseconds(2));
  int pieces = 0;
  for (int who = 0; who < 200; ++who) {
    queue.add([&] {
      ++pieces;
      loop.spend(milliseconds(1));
      return true;
    });
  }
  for (int turn = 1; turn <= 10; ++turn) {
    ASSERT_TRUE(loop.turn());
    EXPECT_EQ(pieces, 2 * turn);
  }
  EXPECT_EQ(queue.size(), 200U);
}

TEST(TurnQueue, APieceLongerThanTheBudgetIsATurn) {
  CostlyLoop loop;
  TurnQueue queue(loop, milliseconds(2));
  int pieces = 0;
  for (int who = 0; who < 2; ++who) {
    queue.add([&] {
      ++pieces;
      loop.spend(milliseconds(50));
      return false;
    });
  }
  EXPECT_TRUE(loop.turn());
  EXPECT_EQ(pieces, 1);
  EXPECT_TRUE(loop.turn());
  EXPECT_EQ(pieces, 2);
  EXPECT_FALSE(loop.turn());
}

TEST(TurnQueue, MayBeDestroyedByItsWork) {
  CostlyLoop loop;
  auto queue = std::make_unique<TurnQueue>(loop, milliseconds(2));
  queue->add([&] {
    queue.reset();
    return true;
  });
  queue->add([] {
    ADD_FAILURE() << "gone";
    return false;
  });
  while (loop.turn()) continue;
  EXPECT_EQ(queue, nullptr);
}

}  // namespace
}  // namespace margay::bgp::session
