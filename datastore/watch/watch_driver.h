// WatchDriver: runs a Reflector with a client: starts its calls and timers, reads and decodes objects, hands them over.
//
//   client ──bytes──▶ ObjectReader ──name, version──▶ Reflector ──Put, Remove, InSync──▶ ObjectSink
//
// Memory while listing: one item, whatever the list's size. Objects that are known in their version are not decoded
// again. One loop; `environment`'s references and the sink outlive the driver.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/core/field_error.h"
#include "base/core/random.h"
#include "base/json/view.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "base/telemetry/rate_limit.h"
#include "datastore/kube/client.h"
#include "datastore/watch/object_reader.h"
#include "datastore/watch/reflector.h"

namespace margay::watch {

struct WatchEnvironment {
  loop::Loop& loop;
  Random& random;
  kube::Client& client;
  telemetry::Logger log{};
  telemetry::Registry* metrics = nullptr;
};

// What to watch.
struct WatchSource {
  kube::ResourceType type;
  std::string name_space{};  // "": all
  ReflectorConfig reflector{};
  // Asked for where the server does not serve the version of `type` (404), and the other way round; "": there is none.
  std::string old_version{};
};

class ObjectSink {
 public:
  virtual ~ObjectSink() = default;
  // Decodes and keeps the result for put(), which follows at once or never. Errors: the object counts as absent.
  virtual FieldErrors decode(json::View object) = 0;
  virtual void put(const kube::ObjectName& name) = 0;
  virtual void remove(const kube::ObjectName& name) = 0;
  virtual void on_in_sync() = 0;
};

// An object that is there but counts as absent.
struct InvalidObject {
  kube::ResourceType type;
  kube::ObjectName name;  // empty: not even this could be read
  std::string version;
  FieldErrors errors;
};

class WatchDriver {
 public:
  // `on_invalid` is called once for each version of an invalid object; it may be empty.
  WatchDriver(const WatchEnvironment& environment, WatchSource source, ObjectSink& sink,
              std::function<void(const InvalidObject&)> on_invalid);

  // What went wrong, each time; may be empty.
  void set_on_failure(std::function<void(const kube::ApiError&)> on_failure) { on_failure_ = std::move(on_failure); }
  // Begins to list. Destroying the driver ends everything.
  void start() { run(Start{}); }

  [[nodiscard]] bool is_in_sync() const { return reflector_.is_in_sync(); }
  [[nodiscard]] Reflector::State state() const { return reflector_.state(); }
  [[nodiscard]] const WatchSource& source() const { return source_; }
  // resourceVersion up to which everything was handed over; "" before the first whole list.
  [[nodiscard]] const std::string& version() const { return reflector_.version(); }
  // Why it is not watching now; nullptr when nothing is wrong.
  [[nodiscard]] const kube::ApiError* last_error() const { return last_error_ ? &*last_error_ : nullptr; }

 private:
  void run(const Input& input);
  void act(StartList& list);
  void act(StartWatch& watch);
  void act(Wait& wait);
  void act(Put&);
  void act(Remove& remove);
  void act(InSync&);
  void act(Report& report);
  void on_item(std::string_view json);
  void on_event(const kube::WatchEvent& event);
  bool decode(const ObjectHead& head);
  bool turns_to_old_version();
  void report_invalid(InvalidObject invalid);

  loop::Loop& loop_;
  kube::Client& client_;
  WatchSource source_;
  ObjectSink& sink_;
  std::function<void(const InvalidObject&)> on_invalid_;
  std::function<void(const kube::ApiError&)> on_failure_;
  telemetry::Logger log_;
  telemetry::RateLimit log_limit_{std::chrono::seconds(10)};
  telemetry::Counter lists_;
  telemetry::Counter failures_;
  telemetry::Counter invalid_objects_;
  telemetry::Counter events_;
  telemetry::Gauge objects_;
  telemetry::Gauge in_sync_;
  Reflector reflector_;
  ObjectReader reader_;
  std::unique_ptr<loop::Timer> timer_;
  kube::OperationPtr operation_;
  kube::ObjectName current_;  // of the input being run
  std::optional<kube::ApiError> last_error_;
  bool is_old_version_ = false;  // source_ has them swapped
};

}  // namespace margay::watch
