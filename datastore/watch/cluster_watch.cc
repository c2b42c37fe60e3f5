#include "datastore/watch/cluster_watch.h"

#include <algorithm>

#include "base/core/text.h"

namespace margay::watch {

ClusterWatch::ClusterWatch(const WatchEnvironment& environment, std::function<void(bool)> on_turn)
    : environment_(environment),
      on_turn_(std::move(on_turn)),
      turn_timer_(environment.loop.make_timer([this] { turn(); })) {}

ClusterWatch::~ClusterWatch() = default;

void ClusterWatch::start() {
  for (const auto& feed : feeds_) feed->start();
}

bool ClusterWatch::is_in_sync() const {
  return std::all_of(feeds_.begin(), feeds_.end(),
                     [](const auto& feed) { return feed->is_in_sync || feed->is_absent; });
}

// Whatever else comes with this turn of the loop is of the same turn here.
void ClusterWatch::turn_soon() {
  if (!turn_timer_->is_armed()) turn_timer_->arm({});
}

void ClusterWatch::turn() {
  bool is_in_sync = true;
  for (const auto& feed : feeds_) is_in_sync = feed->drain() && is_in_sync;
  on_turn_(is_in_sync);
}

void ClusterWatch::note_failure(Feed& feed, model::Kind kind, const kube::ApiError& error) {
  constexpr int kNotFound = 404;
  const bool counts_as_empty = error.http_status == kNotFound || feed.is_optional;
  if (!counts_as_empty || feed.is_in_sync || feed.is_absent) return;
  feed.is_absent = true;
  environment_.log.warn("no list of this kind; it counts as empty until there is one",
                        {{"kind", model::info(kind).name}, {"reason", error.message}});
  turn_soon();
}

void ClusterWatch::note_invalid(model::Kind kind, const InvalidObject& object) {
  const model::ObjectKey key{kind, object.name.name_space, object.name.name};
  environment_.log.warn("object counts as absent",
                        {{"object", key.to_string()}, {"reason", margay::to_string(object.errors)}});
  invalid_.insert_or_assign(key, object.errors);
}

std::vector<ClusterWatch::KindState> ClusterWatch::states() const {
  std::vector<KindState> out;
  for (const auto& feed : feeds_) {
    KindState& state = out.emplace_back();
    const kube::ResourceType& type = feed->driver().source().type;
    state.resource = type.group.empty() ? type.plural : concat(type.plural, ".", type.group);
    state.is_in_sync = feed->is_in_sync;
    state.is_absent = feed->is_absent;
    if (!turn_timer_->is_armed() && !feed->has_changes()) state.version = feed->driver().version();
    if (const kube::ApiError* error = feed->driver().last_error()) state.error = error->message;
    feed->look(state);
  }
  return out;
}

}  // namespace margay::watch
