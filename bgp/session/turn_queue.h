// TurnQueue: work of many, done a piece at a time and one after the other, with a budget for each turn of the loop:
// however many sockets are full, timers and other sockets (keepalives, BFD) get their turn in between.
//
// A turn is one piece of each at most, and lasts the budget and one piece at most: what comes of a piece (the RIB's
// work) is done before the next of the same. Thread: the loop's.
#pragma once

#include <deque>
#include <memory>

#include "base/core/task.h"
#include "base/core/time.h"
#include "base/loop/loop.h"

namespace margay::bgp::session {

class TurnQueue {
 public:
  // Does a piece; true: there is more, and it goes to the end of the line. May destroy the queue.
  using Work = Callback<bool()>;

  TurnQueue(loop::Loop& loop, Duration budget) : loop_(loop), budget_(budget) {}
  TurnQueue(const TurnQueue&) = delete;
  TurnQueue& operator=(const TurnQueue&) = delete;

  // Begins on a later turn. Work that is never done is dropped with the queue.
  void add(Work work);
  [[nodiscard]] std::size_t size() const { return line_.size(); }

 private:
  void schedule();
  void run();

  loop::Loop& loop_;
  Duration budget_;
  std::deque<Work> line_;
  bool is_scheduled_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace margay::bgp::session
