// send_pending: the difference a DeltaTracker knows of, as one batch of netlink requests, and what became of each.
//
// Add:   bool(Batch&, key, value)          adds exactly one request and returns true, or none and returns false
// Judge: std::optional<Error>(key, failure) nullopt: it is as wanted all the same
// What fails stays pending. False: the socket failed, nothing is known.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/delta/delta_tracker.h"
#include "dataplane/driver/driver.h"
#include "dataplane/netlink/netlink.h"

namespace margay::link {

inline void add_failure(dataplane::ApplyReport& report, std::string object, Error error) {
  ++report.failed;
  if (report.failures.size() >= dataplane::kFailuresReportedMax) return;
  report.failures.push_back({std::move(object), std::move(error)});
}

// What is sent, in the tracker's order.
class Sending {
 public:
  netlink::Batch& batch() { return batch_; }
  void note(bool is_sent) { places_.push_back(is_sent ? std::optional(batch_.size() - 1) : std::nullopt); }

  bool send(netlink::Netlink& kernel, dataplane::ApplyReport& report) {
    if (batch_.empty()) return true;
    netlink::BatchReport sent = kernel.apply(batch_);
    if (!sent.transport.ok()) add_failure(report, "netlink", sent.transport.error());
    failures_.resize(batch_.size());
    for (netlink::Failure& failure : sent.failures) failures_[failure.index] = std::move(failure);
    return sent.transport.ok();
  }

  // Of the next one in the same walk; `count`: of those that were done.
  template <class Judge>
  Outcome outcome(const std::string& object, dataplane::ApplyReport& report, std::size_t& count, Judge&& judge) {
    const std::optional<std::size_t> place = places_[next_++];
    if (!place) return Outcome::kFailed;
    std::optional<Error> error;
    if (const auto& failure = failures_[*place]) error = judge(*failure);
    if (!error) {
      ++count;
      return Outcome::kApplied;
    }
    add_failure(report, object, std::move(*error));
    return Outcome::kFailed;
  }

 private:
  netlink::Batch batch_;
  std::vector<std::optional<std::size_t>> places_;
  std::vector<std::optional<netlink::Failure>> failures_;
  std::size_t next_ = 0;
};

template <class Key, class Value, class Add, class Judge>
bool send_updates(netlink::Netlink& kernel, DeltaTracker<Key, Value>& tracker, dataplane::ApplyReport& report,
                  Add&& add, Judge&& judge) {
  Sending sending;
  tracker.apply_updates([&](const Key& key, const Value& wanted, const Value*) {
    sending.note(add(sending.batch(), key, wanted));
    return Outcome::kFailed;
  });
  if (!sending.send(kernel, report)) return false;
  tracker.apply_updates([&](const Key& key, const Value&, const Value*) {
    return sending.outcome(key.to_string(), report, report.updated,
                           [&](const netlink::Failure& failure) { return judge(key, failure); });
  });
  return true;
}

template <class Key, class Value, class Add, class Judge>
bool send_removes(netlink::Netlink& kernel, DeltaTracker<Key, Value>& tracker, dataplane::ApplyReport& report,
                  Add&& add, Judge&& judge) {
  Sending sending;
  tracker.apply_removes([&](const Key& key, const Value& actual) {
    sending.note(add(sending.batch(), key, actual));
    return Outcome::kFailed;
  });
  if (!sending.send(kernel, report)) return false;
  tracker.apply_removes([&](const Key& key, const Value&) {
    return sending.outcome(key.to_string(), report, report.removed,
                           [&](const netlink::Failure& failure) { return judge(key, failure); });
  });
  return true;
}

// The error of a request, but for those of `fine`, after which it is as wanted.
inline std::optional<Error> unless(const netlink::Failure& failure, std::initializer_list<int> fine) {
  for (const int one : fine) {
    if (failure.error == one) return std::nullopt;
  }
  return netlink::error_of(failure.error, failure.text);
}

// When a driver that reported this is to be called again.
inline void plan_next(dataplane::ApplyReport& report, TimePoint now, dataplane::Backoff& backoff) {
  if (report.failed == 0) {
    backoff.succeed();
  } else {
    report.try_again_at = now + backoff.next();
  }
}

}  // namespace margay::link
