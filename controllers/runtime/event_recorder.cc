#include "controllers/runtime/event_recorder.h"

#include <chrono>

#include "base/core/text.h"
#include "datastore/codec/codec.h"
#include "datastore/model/kubernetes.h"
#include "datastore/watch/resource_of.h"

namespace margay::controllers {
namespace {

constexpr std::size_t kTextMax = 1024;  // Kubernetes API: Event.note
constexpr Duration kSayAgainAfter = std::chrono::hours(1);

// Events about what is in no namespace lie in this one.
constexpr std::string_view kNamespaceOfCluster = "default";

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

void EventRecorder::warn(const model::ObjectKey& about, const model::ObjectMeta& metadata, std::string_view reason,
                         std::string_view text) {
  const Topic topic{about, std::string(reason)};
  Said& said = said_[topic];
  const std::string_view cut = text.substr(0, kTextMax);
  const bool is_known = said.at && said.text == cut && parts_.loop.now() - *said.at < kSayAgainAfter;
  if (is_known) return;
  said = {metadata, std::string(cut), std::nullopt};
  parts_.log.warn("not honoured", {{"object", about.to_string()}, {"reason", said.text}});
  if (is_leading_) say(topic, said);
}

void EventRecorder::forget(const model::ObjectKey& about) {
  const auto first = said_.lower_bound({about, ""});
  auto last = first;
  while (last != said_.end() && last->first.first == about) ++last;
  said_.erase(first, last);
}

void EventRecorder::lead(bool is_leading) {
  if (is_leading_ == is_leading) return;
  is_leading_ = is_leading;
  if (!is_leading) return;
  for (auto& [topic, said] : said_) {
    if (!said.at) say(topic, said);
  }
}

void EventRecorder::say(const Topic& topic, Said& said) {
  said.at = parts_.loop.now();
  model::Event event;
  event.metadata.name_space =
      topic.first.name_space.empty() ? kNamespaceOfCluster : std::string_view(topic.first.name_space);
  event.metadata.name = concat(topic.first.name.substr(0, 200), ".", parts_.random.next());
  event.involved_object = reference_to(topic.first, said.metadata);
  event.type = "Warning";
  event.reason = topic.second;
  event.message = said.text;
  event.count = 1;
  event.first_timestamp = event.last_timestamp = parts_.loop.wall_now();
  event.source = {parts_.component, parts_.instance};
  event.reporting_component = parts_.component;
  event.reporting_instance = parts_.instance;
  json::Value object;
  codec::encode(event, object);
  static const kube::ResourceType type = watch::resource_of(model::Kind::kEvent);
  const std::uint64_t id = next_operation_++;
  operations_[id] = parts_.client.create(
      type, event.metadata.name_space, object, {}, [this, id](const kube::ApiResult<json::Value>& answer) {
        const auto done = operations_.extract(id);
        if (!answer.ok()) parts_.log.warn("an Event cannot be written", {{"error", answer.error().message}});
      });
}

}  // namespace margay::controllers
