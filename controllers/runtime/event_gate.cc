#include "controllers/runtime/event_gate.h"

#include <chrono>

namespace margay::controllers {
namespace {

constexpr std::size_t kTextMax = 1024;  // Kubernetes API: Event.note
constexpr Duration kSayAgainAfter = std::chrono::hours(1);

model::ObjectReference reference_to(const model::ObjectKey& about, const model::ObjectMeta& metadata) {
  const model::KindInfo& info = model::info(about.kind);
  return {.api_version = std::string(info.api_version),
          .kind = std::string(info.name),
          .name_space = about.name_space,
          .name = about.name,
          .uid = metadata.uid,
          .resource_version = metadata.resource_version,
          .field_path = {}};
}

}  // namespace

EventGate::EventGate(Parts parts, std::string instance)
    : loop_(parts.loop),
      log_(parts.log),
      recorder_(std::move(parts), "margay-controllers", std::move(instance)),
      again_(loop_.make_timer([this] { say_all(); })) {}

void EventGate::warn(const model::ObjectKey& about, const model::ObjectMeta& metadata, std::string_view reason,
                     std::string_view text) {
  const Topic topic{about, std::string(reason)};
  const auto [place, is_new] = said_.try_emplace(topic);
  Said& said = place->second;
  const std::string_view cut = text.substr(0, kTextMax);
  const bool is_waiting = !is_new && !said.at;
  const bool is_fresh = said.at && loop_.now() - *said.at < kSayAgainAfter;
  if (said.text == cut && (is_waiting || is_fresh)) return;
  said = {reference_to(about, metadata), std::string(cut), std::nullopt};
  log_.warn("not honoured", {{"object", about.to_string()}, {"reason", said.text}});
  if (is_leading_) say(topic, said);
}

void EventGate::forget(const model::ObjectKey& about) {
  const auto first = said_.lower_bound({about, ""});
  auto last = first;
  while (last != said_.end() && last->first.first == about) ++last;
  said_.erase(first, last);
}

void EventGate::forget(const model::ObjectKey& about, std::string_view reason) {
  said_.erase({about, std::string(reason)});
}

void EventGate::lead(bool is_leading) {
  if (is_leading_ == is_leading) return;
  is_leading_ = is_leading;
  if (is_leading) say_all();
}

void EventGate::say_all() {
  for (auto& [topic, said] : said_) {
    if (is_leading_ && !said.at) say(topic, said);
  }
}

void EventGate::say(const Topic& topic, Said& said) {
  if (recorder_.record({.about = said.reference, .reason = topic.second, .message = said.text, .is_warning = true})) {
    said.at = loop_.now();
  } else if (!again_->is_armed()) {
    again_->arm(events::EventRecorder::kInterval);
  }
}

}  // namespace margay::controllers
