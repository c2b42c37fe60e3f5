#include "base/loop/worker.h"

#include <future>
#include <optional>
#include <string>

#include "base/loop/asio_loop.h"
#include "gtest/gtest.h"

namespace margay::loop {
namespace {

TEST(Worker, JobRunsElsewhereAndDoneOnTheLoop) {
  AsioLoop loop;
  Worker worker(loop);
  std::promise<std::thread::id> ran_on;
  worker.run([&] { ran_on.set_value(std::this_thread::get_id()); },
             [&] {
               EXPECT_TRUE(loop.in_loop_thread());
               EXPECT_FALSE(worker.is_busy());
               loop.stop();
             });
  EXPECT_TRUE(worker.is_busy());
  loop.run();
  EXPECT_NE(ran_on.get_future().get(), std::this_thread::get_id());
}

TEST(Worker, LoopGoesOnWhileTheJobWaits) {
  AsioLoop loop;
  Worker worker(loop);
  std::promise<void> released;
  bool is_done = false;
  worker.run([waits = released.get_future()]() mutable { waits.wait(); }, [&] { is_done = true; });
  loop.post([&] { released.set_value(); });  // the job ends only if the loop turns meanwhile
  EXPECT_TRUE(loop.run_until([&] { return is_done; }, std::chrono::minutes(1)));
}

TEST(Worker, WaitRunsDoneOnceAndDoneMayStartTheNext) {
  AsioLoop loop;
  Worker worker(loop);
  std::string order;
  const auto job = [&order](char name) { return [&order, name] { order.push_back(name); }; };
  worker.run(job('a'), [&] {
    order.push_back('A');
    EXPECT_EQ(order, "aA");
    worker.run(job('b'), job('B'));
  });
  worker.wait();
  EXPECT_TRUE(worker.is_busy()) << "with the second, which may write into `order` at this moment";
  worker.wait();
  EXPECT_EQ(order, "aAbB");
  worker.wait();
  loop.run_for(Duration::zero());
  EXPECT_EQ(order, "aAbB") << "what was waited for does not come again";
}

TEST(Worker, DestructorWaitsForTheJobAndDropsDone) {
  AsioLoop loop;
  bool has_run = false;
  std::optional<Worker> worker(std::in_place, loop);
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = owned;
  worker->run([&has_run, owned = std::move(owned)] { has_run = true; }, [] { ADD_FAILURE() << "after the end"; });
  worker.reset();
  EXPECT_TRUE(has_run);
  EXPECT_TRUE(seen.expired()) << "what the job owns ends with it";
  loop.run_for(Duration::zero());
}

}  // namespace
}  // namespace margay::loop
