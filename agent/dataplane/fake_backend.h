// FakeBackend: for tests; one thread.
#pragma once

#include <utility>

#include "agent/dataplane/fake_node.h"
#include "agent/dataplane/ports.h"

namespace margay::agent {

// Every change of the mode is a change of the back end, and leaves rules in the other.
class FakeBackend final : public BackendPort {
 public:
  explicit FakeBackend(FakeNode& node) : node_(node) { choice_.why = "the first"; }
  void set_mode(iptables::BackendMode mode) override { is_due_ = std::exchange(mode_, mode) != mode || is_due_; }
  [[nodiscard]] const iptables::BackendChoice& choice() const override { return choice_; }
  void queue_resync() override {}
  dataplane::ApplyReport apply(TimePoint now) override {
    if (!is_due_) return {};
    if (node_.failing.contains("backend")) return node_.failure("backend", now);
    is_due_ = false;
    node_.has_leftovers = true;
    node_.log.emplace_back("backend");
    choice_.why = "another";
    return {};
  }
  dataplane::ApplyReport apply_removals(TimePoint) override {
    if (std::exchange(node_.has_leftovers, false)) node_.log.emplace_back("remove leftovers");
    return {};
  }

 private:
  FakeNode& node_;
  iptables::BackendMode mode_ = iptables::BackendMode::kAuto;
  bool is_due_ = false;
  iptables::BackendChoice choice_;
};

}  // namespace margay::agent
