// EventGate: tells users on their objects what could not be done with them, as Events; only who leads speaks.
//
//   warn(about, …) ─▶ said once an hour, until forget() ─▶ kept until leading ─▶ events::EventRecorder
//
// What the recorder's limits hold back is said later. Thread: the loop's.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "datastore/events/event_recorder.h"
#include "datastore/model/key.h"
#include "datastore/model/meta.h"

namespace margay::controllers {

class EventGate {
 public:
  using Parts = events::EventRecorder::Parts;
  // `instance`: the replica.
  explicit EventGate(Parts parts, std::string instance = "");

  // `reason`: one word, as PolicyNotHonoured. `text` is cut to 1 KiB. The same reason and text about the same object is
  // said once, until an hour has passed or it is forgotten.
  void warn(const model::ObjectKey& about, const model::ObjectMeta& metadata, std::string_view reason,
            std::string_view text);
  // It is over, of all reasons or of one.
  void forget(const model::ObjectKey& about);
  void forget(const model::ObjectKey& about, std::string_view reason);
  // What there was to say before is said then.
  void lead(bool is_leading);

 private:
  struct Said {
    model::ObjectReference reference;
    std::string text;
    std::optional<TimePoint> at;  // nullopt: not yet
  };
  using Topic = std::pair<model::ObjectKey, std::string>;  // about, reason
  void say(const Topic& topic, Said& said);
  void say_all();

  loop::Loop& loop_;
  telemetry::Logger log_;
  events::EventRecorder recorder_;
  std::map<Topic, Said> said_;
  bool is_leading_ = false;
  std::unique_ptr<loop::Timer> again_;
};

}  // namespace margay::controllers
