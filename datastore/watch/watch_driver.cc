#include "datastore/watch/watch_driver.h"

#include <utility>

#include "base/core/text.h"

namespace margay::watch {
namespace {

std::string resource_of(const kube::ResourceType& type) {
  return type.group.empty() ? type.plural : concat(type.plural, ".", type.group);
}

kube::ApiError unreadable(const Error& error) {
  kube::ApiError out;
  out.code = ErrorCode::kInvalid;
  out.message = error.within("an object of a watch cannot be read").message;
  return out;
}

}  // namespace

WatchDriver::WatchDriver(const WatchEnvironment& environment, WatchSource source, ObjectSink& sink,
                         std::function<void(const InvalidObject&)> on_invalid)
    : loop_(environment.loop),
      client_(environment.client),
      source_(std::move(source)),
      sink_(sink),
      on_invalid_(std::move(on_invalid)),
      log_(environment.log.with({{"resource", resource_of(source_.type)}})),
      reflector_(source_.reflector, environment.random) {
  timer_ = loop_.make_timer([this] { run(TimerFired{}); });
  if (environment.metrics == nullptr) return;
  telemetry::Registry& metrics = *environment.metrics;
  const telemetry::Labels labels = {{"resource", resource_of(source_.type)}};
  lists_ = metrics.counter({"margay_watch_lists_total", "Lists begun; further pages count.", ""}, labels);
  failures_ = metrics.counter({"margay_watch_failures_total", "Lists and watches that failed.", ""}, labels);
  invalid_objects_ =
      metrics.counter({"margay_watch_invalid_objects_total", "Objects that could not be decoded.", ""}, labels);
  events_ = metrics.counter({"margay_watch_events_total", "Events of watches, bookmarks among them.", ""}, labels);
  objects_ = metrics.gauge({"margay_watch_objects", "Objects known, invalid ones among them.", ""}, labels);
  in_sync_ = metrics.gauge({"margay_watch_in_sync", "1 once a first whole list was handed over.", ""}, labels);
}

void WatchDriver::run(const Input& input) {
  Outputs outputs = reflector_.step(input, loop_.now());
  objects_.set(static_cast<double>(reflector_.known_count()));
  for (Output& output : outputs) std::visit([this](auto& what) { act(what); }, output);
}

void WatchDriver::act(StartList& list) {
  lists_.increment();
  operation_ = client_.list(source_.type, source_.name_space, list.options,
                            {.on_item = [this](std::string_view json) { on_item(json); },
                             .on_done =
                                 [this](kube::ApiResult<kube::ListMeta> outcome) {
                                   if (outcome.ok()) return run(ListDone{std::move(outcome).value()});
                                   run(ListFailed{std::move(outcome).error()});
                                 }});
}

void WatchDriver::act(StartWatch& watch) {
  operation_ = client_.watch(source_.type, source_.name_space, watch.options,
                             {.on_open = [this] { last_error_.reset(); },
                              .on_event = [this](const kube::WatchEvent& event) { on_event(event); },
                              .on_done =
                                  [this](kube::ApiResult<std::monostate> outcome) {
                                    if (outcome.ok()) return run(WatchDone{});
                                    run(WatchFailed{std::move(outcome).error()});
                                  }});
}

void WatchDriver::act(Wait& wait) {
  operation_.reset();
  timer_->arm(wait.duration);
}

void WatchDriver::act(Put&) { sink_.put(current_); }

void WatchDriver::act(Remove& remove) { sink_.remove(remove.name); }

void WatchDriver::act(InSync&) {
  in_sync_.set(1);
  log_.info("in sync", {{"objects", reflector_.known_count()}});
  sink_.on_in_sync();
}

// Which version a server has is found by asking: one that is upgraded changes it under a watch. The newer one that is
// missing is no news as long as the older one has not been asked for.
bool WatchDriver::turns_to_old_version() {
  if (source_.old_version.empty()) return false;
  std::swap(source_.type.version, source_.old_version);
  is_old_version_ = !is_old_version_;
  return is_old_version_;
}

// A watch that is gone (410) is the ordinary course of things.
void WatchDriver::act(Report& report) {
  constexpr int kNotFound = 404;
  if (report.error.http_status == kNotFound && turns_to_old_version()) return;
  const bool was_not_served = last_error_ && last_error_->http_status == kNotFound;
  failures_.increment();
  last_error_ = std::move(report.error);
  if (on_failure_) on_failure_(*last_error_);
  const bool is_ordinary = last_error_->code == ErrorCode::kGone;
  if (is_ordinary) return log_.debug("history gone, listing again", {{"reason", last_error_->message}});
  // A kind that the server does not serve (an old Kubernetes): once is enough, it is asked for all the time.
  if (was_not_served && last_error_->http_status == kNotFound) return;
  if (const auto suppressed = log_limit_.admit(loop_.now())) {
    log_.warn(report.is_relist ? "cannot list" : "cannot watch",
              {{"reason", last_error_->message}, {"code", to_string(last_error_->code)}, {"suppressed", *suppressed}});
  }
}

void WatchDriver::on_item(std::string_view json) {
  auto head = reader_.read(json);
  if (!head.ok()) {
    report_invalid({.type = source_.type,
                    .name = {},
                    .version = {},
                    .errors = {{FieldError::Kind::kInvalid, "", std::move(head).error().message}}});
    return run(ListedUnreadable{});
  }
  current_ = head->name;
  run(Listed{.name = current_, .version = head->version, .is_valid = decode(*head)});
}

void WatchDriver::on_event(const kube::WatchEvent& event) {
  using Kind = kube::WatchEvent::Kind;
  events_.increment();
  auto head = reader_.read(event.object_json, event.kind == Kind::kBookmark);
  // What changed cannot be told: only a list can.
  if (!head.ok()) return run(WatchFailed{unreadable(std::move(head).error())});
  current_ = head->name;
  const bool has_value = event.kind == Kind::kAdded || event.kind == Kind::kModified;
  run(Watched{.kind = event.kind, .name = current_, .version = head->version, .is_valid = !has_value || decode(*head)});
}

// Only what is news; of the rest the reflector asks nothing.
bool WatchDriver::decode(const ObjectHead& head) {
  if (!reflector_.is_news(head.name, head.version)) return true;
  FieldErrors errors = sink_.decode(head.object);
  if (errors.empty()) return true;
  report_invalid({.type = source_.type, .name = head.name, .version = head.version, .errors = std::move(errors)});
  return false;
}

void WatchDriver::report_invalid(InvalidObject invalid) {
  invalid_objects_.increment();
  log_.debug(
      "invalid object",
      {{"namespace", invalid.name.name_space}, {"name", invalid.name.name}, {"reason", to_string(invalid.errors)}});
  if (on_invalid_) on_invalid_(invalid);
}

}  // namespace margay::watch
