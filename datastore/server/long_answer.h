// LongAnswer: a response that takes more than one turn of the loop (a list, a watch), and where they are kept
// meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/loop/loop.h"
#include "datastore/store/deferred.h"

namespace margay::server {

class LongAnswer {
 public:
  virtual ~LongAnswer() = default;
  virtual void start() = 0;
  // The server stops: end in order if there is no natural end.
  virtual void finish() {}
  // Cut the connection (fault injection).
  virtual void drop() {}
};

class LongAnswers {
 public:
  explicit LongAnswers(loop::Loop& loop) : deferred_(loop) {}

  // `make` gets the function by which the answer says that it may be destroyed.
  void add(const std::function<std::unique_ptr<LongAnswer>(std::function<void()> done)>& make) {
    const std::uint64_t id = next_id_++;
    const auto done = [this, id] { deferred_.run([this, id] { answers_.erase(id); }); };
    LongAnswer& answer = *answers_.emplace(id, make(done)).first->second;
    answer.start();
  }
  void for_all(void (LongAnswer::*what)()) {
    std::vector<LongAnswer*> present;
    for (const auto& [id, answer] : answers_) present.push_back(answer.get());
    for (LongAnswer* answer : present) (answer->*what)();
  }
  [[nodiscard]] std::size_t size() const { return answers_.size(); }

 private:
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, std::unique_ptr<LongAnswer>> answers_;
  store::Deferred deferred_;
};

}  // namespace margay::server
