// SignalWatch: signals as callbacks on the loop's thread (signalfd(2)).
//
// Made in main before any other thread is started: it blocks its signals in the calling thread, and threads inherit
// that. They stay blocked afterwards, so that a signal that arrives late is not deadly; a program that starts others
// gives them back their mask. Equal signals that come before the callback runs are one (signal(7)).
#pragma once

#include <memory>
#include <vector>

#include "base/core/result.h"
#include "base/core/task.h"
#include "base/loop/fd_watch.h"

namespace margay::process {

class SignalWatch {
 public:
  // `on_signal` gets the number, such as SIGTERM, each time one arrives; it may destroy the watch. After the destructor
  // returns it never runs.
  static Result<std::unique_ptr<SignalWatch>> make(loop::FdWatcher& watcher, const std::vector<int>& signals,
                                                   Callback<void(int)> on_signal);
  virtual ~SignalWatch() = default;
};

// "SIGTERM", for logs.
const char* signal_name(int number);

}  // namespace margay::process
