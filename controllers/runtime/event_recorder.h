// EventRecorder: tells users on their objects what could not be done with them, as Events of Kubernetes.
//
// The same reason and text about the same object is said once, until an hour has passed or forget() says that it is
// over. Events are best effort: one that cannot be written is logged. Thread: the loop's.
// Source: Kubernetes API reference, Event v1.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/core/random.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "datastore/kube/client.h"
#include "datastore/model/key.h"
#include "datastore/model/meta.h"

namespace margay::controllers {

class EventRecorder {
 public:
  struct Parts {
    loop::Loop& loop;
    kube::Client& client;
    Random& random;
    telemetry::Logger log{};
    std::string component = "margay-controllers";
    std::string instance{};  // the host's name
  };
  explicit EventRecorder(Parts parts) : parts_(std::move(parts)) {}

  // `reason`: one word, as PolicyNotHonoured. `text` is cut to 1 KiB.
  void warn(const model::ObjectKey& about, const model::ObjectMeta& metadata, std::string_view reason,
            std::string_view text);
  void forget(const model::ObjectKey& about);
  // Only who leads speaks; what there was to say before is said then.
  void lead(bool is_leading);

 private:
  struct Said {
    model::ObjectMeta metadata;
    std::string text;
    std::optional<TimePoint> at;  // nullopt: not yet
  };
  using Topic = std::pair<model::ObjectKey, std::string>;  // about, reason
  void say(const Topic& topic, Said& said);

  Parts parts_;
  std::map<Topic, Said> said_;
  bool is_leading_ = false;
  std::uint64_t next_operation_ = 0;
  std::map<std::uint64_t, kube::OperationPtr> operations_;
};

}  // namespace margay::controllers
