// FailingNetlink: another Netlink whose n-th call from now fails, nothing of it done; for tests of what becomes right
// afterwards.
#pragma once

#include <functional>

#include "dataplane/netlink/netlink.h"

namespace margay::netlink {

class FailingNetlink final : public Netlink {
 public:
  explicit FailingNetlink(Netlink& inner) : inner_(inner) {}

  // 1: the next; 0: none.
  void fail_call(int n) { fails_in_ = n; }
  [[nodiscard]] int calls() const { return calls_; }
  [[nodiscard]] int dumps() const { return dumps_; }

  Status dump(const Batch& request, const std::function<void()>& begin, const Visit& visit) override {
    ++dumps_;
    return fails_now() ? failed() : inner_.dump(request, begin, visit);
  }
  Status ask(const Batch& request, const Visit& visit) override {
    return fails_now() ? failed() : inner_.ask(request, visit);
  }
  BatchReport apply(const Batch& batch) override {
    return fails_now() ? BatchReport{failed(), {}} : inner_.apply(batch);
  }
  [[nodiscard]] std::uint32_t port() const override { return inner_.port(); }

 private:
  static Status failed() { return Error{ErrorCode::kUnavailable, "the call was told to fail"}; }
  bool fails_now() {
    ++calls_;
    return fails_in_ > 0 && --fails_in_ == 0;
  }

  Netlink& inner_;
  int fails_in_ = 0;
  int calls_ = 0;
  int dumps_ = 0;
};

}  // namespace margay::netlink
