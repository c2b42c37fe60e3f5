#include "datastore/events/event_recorder.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "base/core/time_text.h"
#include "datastore/codec/codec.h"

namespace margay::events {
namespace {

kube::ResourceType event_type() { return {"", "v1", "events", "Event", true}; }

// Events on objects without a namespace stand in this one, as the kubelet's do.
constexpr const char* kClusterNamespace = "default";

std::string hex(std::uint64_t number) {
  std::string out;
  for (int shift = 60; shift >= 0; shift -= 4) out.push_back("0123456789abcdef"[number >> shift & 15]);
  return out;
}

}  // namespace

EventRecorder::EventRecorder(Parts parts, std::string component, std::string host)
    : parts_(std::move(parts)),
      component_(std::move(component)),
      host_(std::move(host)),
      refilled_at_(parts_.loop.now()) {}

EventRecorder::~EventRecorder() = default;

bool EventRecorder::admit() {
  const auto gained = (parts_.loop.now() - refilled_at_) / kInterval;
  tokens_ = static_cast<int>(std::min<std::int64_t>(kBurst, tokens_ + gained));
  refilled_at_ += gained * kInterval;
  if (tokens_ == 0) return false;
  --tokens_;
  return true;
}

EventRecorder::Series& EventRecorder::series_of(const Key& key, const News& news) {
  const auto [place, is_new] = series_.try_emplace(key);
  Series& series = place->second;
  if (!is_new) return series;
  const std::string& name_space = news.about.name_space;
  model::Event& event = series.event;
  event.metadata.name = concat(news.about.name, ".", hex(parts_.random.next()));
  event.metadata.name_space = name_space.empty() ? kClusterNamespace : name_space;
  event.involved_object = news.about;
  event.type = news.is_warning ? "Warning" : "Normal";
  event.reason = news.reason;
  event.message = news.message;
  event.first_timestamp = parts_.loop.wall_now();
  event.source = {component_, host_};
  event.reporting_component = component_;
  event.reporting_instance = host_;
  series.order = next_order_++;
  return series;
}

void EventRecorder::forget_oldest() {
  while (series_.size() > kSeriesMax) {
    auto oldest = series_.end();
    for (auto each = series_.begin(); each != series_.end(); ++each) {
      if (each->second.is_queued) continue;
      if (oldest == series_.end() || each->second.order < oldest->second.order) oldest = each;
    }
    if (oldest == series_.end()) return;
    series_.erase(oldest);
  }
}

bool EventRecorder::record(const News& news) {
  const Key key{news.about.kind, news.about.name_space, news.about.name, news.reason, news.message};
  if (!series_.contains(key) && queue_.size() >= kQueueMax) {
    ++dropped_;
    return false;
  }
  Series& series = series_of(key, news);
  ++series.event.count;
  series.event.last_timestamp = parts_.loop.wall_now();
  if (series.is_queued) return true;
  if (!admit()) {
    ++dropped_;
    return false;
  }
  series.is_queued = true;
  queue_.push_back(key);
  forget_oldest();
  send();
  return true;
}

void EventRecorder::send() {
  if (under_way_ != nullptr || queue_.empty()) return;
  const Key key = queue_.front();
  Series& series = series_.at(key);
  const model::Event& event = series.event;
  series.sent_count = event.count;
  const auto done = [this, key](const kube::ApiResult<json::Value>& answer) { on_answer(key, answer); };
  if (!series.is_written) {
    json::Value object;
    codec::encode(event, object);
    under_way_ =
        parts_.client.create(event_type(), event.metadata.name_space, object, {.field_manager = component_}, done);
    return;
  }
  json::Object patch;
  patch["count"] = std::int64_t{event.count};
  patch["lastTimestamp"] = format_timestamp(*event.last_timestamp);
  under_way_ =
      parts_.client.patch(event_type(), {event.metadata.name_space, event.metadata.name}, "", kube::PatchType::kMerge,
                          json::dump(json::Value(std::move(patch))), {.field_manager = component_}, done);
}

void EventRecorder::on_answer(const Key& key, const kube::ApiResult<json::Value>& answer) {
  const kube::OperationPtr ended = std::move(under_way_);
  Series& series = series_.at(key);
  // Servers forget Events after a while: then it is made anew.
  const bool is_gone = !answer.ok() && series.is_written && answer.error().code == ErrorCode::kNotFound;
  series.is_written = answer.ok();
  if (is_gone) return send();
  queue_.pop_front();
  // What was said meanwhile goes with one more request.
  series.is_queued = answer.ok() && series.event.count != series.sent_count;
  if (series.is_queued) queue_.push_back(key);
  if (!answer.ok()) {
    parts_.log.debug("an Event was given up", {{"reason", series.event.reason}, {"error", answer.error().message}});
  }
  send();
}

}  // namespace margay::events
