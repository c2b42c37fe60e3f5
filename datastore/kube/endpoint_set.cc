#include "datastore/kube/endpoint_set.h"

#include <algorithm>

namespace margay::kube {

void EndpointSet::on_failure(std::size_t index) {
  states_[index] = State::kBad;
  if (index == current_) move_on();
}

void EndpointSet::on_suspicion(std::size_t index) {
  if (states_[index] == State::kGood) states_[index] = State::kSuspect;
}

void EndpointSet::on_success(std::size_t index) {
  states_[index] = State::kGood;
  if (states_[current_] == State::kBad) current_ = index;
}

// The next good one after the current; if there is none, the next.
void EndpointSet::move_on() {
  for (std::size_t step = 1; step < states_.size(); ++step) {
    const std::size_t candidate = (current_ + step) % states_.size();
    if (is_good(candidate)) {
      current_ = candidate;
      return;
    }
  }
  current_ = (current_ + 1) % states_.size();
}

std::vector<std::size_t> EndpointSet::to_probe() const {
  const bool is_all_good = std::all_of(states_.begin(), states_.end(), [](State s) { return s == State::kGood; });
  std::vector<std::size_t> wanted;
  if (is_all_good) return wanted;
  for (std::size_t index = 0; index < states_.size(); ++index) {
    if (states_[index] != State::kGood || index != current_) wanted.push_back(index);
  }
  return wanted;
}

}  // namespace margay::kube
