// EventRecorder: Events (v1) on objects, for people who ask `kubectl describe` or `kubectl get events`.
//
// What is said again of the same object is counted on the same Event, not made anew. At most kBurst Events at once and
// then one each kInterval: an object that flaps cannot load the API server; what is dropped is counted. An Event that
// cannot be written is given up: it is news, not state. Thread: the loop's.
// Source: "Event v1 core" in the reference of the Kubernetes API.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "base/core/random.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "datastore/kube/client.h"
#include "datastore/model/kubernetes.h"

namespace margay::events {

struct News {
  model::ObjectReference about;  // api_version, kind, name, name_space, uid if known
  std::string reason;            // one word: "NodeAddressChanged"
  std::string message;
  bool is_warning = false;
};

class EventRecorder {
 public:
  static constexpr std::size_t kSeriesMax = 256;  // remembered; the oldest are forgotten
  static constexpr std::size_t kQueueMax = 64;
  static constexpr int kBurst = 25;
  static constexpr Duration kInterval = std::chrono::seconds(10);

  struct Parts {
    loop::Loop& loop;
    Random& random;
    kube::Client& client;
    telemetry::Logger log{};
  };
  // `component`: "margay-node"; `host`: the node.
  EventRecorder(Parts parts, std::string component, std::string host);
  ~EventRecorder();
  EventRecorder(const EventRecorder&) = delete;
  EventRecorder& operator=(const EventRecorder&) = delete;

  // False: held back by the limits.
  bool record(const News& news);
  // Held back by the limits.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  using Key = std::tuple<std::string, std::string, std::string, std::string, std::string>;
  struct Series {
    model::Event event;
    bool is_written = false;
    bool is_queued = false;
    std::int32_t sent_count = 0;  // in the last request
    std::uint64_t order = 0;
  };
  bool admit();
  Series& series_of(const Key& key, const News& news);
  void forget_oldest();
  void send();
  void on_answer(const Key& key, const kube::ApiResult<json::Value>& answer);

  Parts parts_;
  std::string component_, host_;
  std::map<Key, Series> series_;
  std::deque<Key> queue_;
  std::uint64_t next_order_ = 0;
  std::uint64_t dropped_ = 0;
  int tokens_ = kBurst;
  TimePoint refilled_at_;
  kube::OperationPtr under_way_;
};

}  // namespace margay::events
