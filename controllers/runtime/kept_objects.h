// KeptObjects<T>: objects of one kind that a controller makes of others, kept in the API server as they should be: made
// when they are missing, repaired when somebody edits them, removed when what they were made of has gone.
//
//   want(name, object), forget(name) ─┐
//                                     ├─ difference ─▶ KeyQueue ─▶ create, update, remove
//   note(name, object or nothing) ────┘
//
// Ours is what carries the label kManagedBy; a watch with managed_selector() feeds note(). An object of the same name
// without it is somebody else's: it is left alone, and `problem` is told. Every change names the version it was made
// for; removal waits for allow_removal(). Nothing is written while it is not leading.
// Thread: the loop's.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "controllers/runtime/key_queue.h"
#include "controllers/runtime/object_writer.h"
#include "datastore/codec/codec.h"
#include "datastore/model/meta.h"
#include "datastore/watch/resource_of.h"

namespace margay::controllers {

inline constexpr std::string_view kManagedBy = "app.kubernetes.io/managed-by";
inline constexpr std::string_view kManagerName = "margay-controllers";
std::string managed_selector();

// What `ours` wants of an object's metadata is there: labels, annotations and owners, whatever else there is.
bool has_metadata(const model::ObjectMeta& actual, const model::ObjectMeta& ours);
// `actual` with what `ours` wants; name, version and all else stay.
model::ObjectMeta merged_metadata(model::ObjectMeta actual, const model::ObjectMeta& ours);

// Labels that nobody wants are removed, too; else they are somebody's note.
template <class T>
inline constexpr bool kOwnsLabels = false;

template <class T>
class KeptObjects {
 public:
  using Problem = std::function<void(const kube::ObjectName& name, const std::string& text)>;

  KeptObjects(WriterParts parts, QueueLimits limits, Problem problem)
      : writer_(parts, watch::resource_of(T::kKind), std::move(problem)),
        queue_(parts.loop, parts.random, limits,
               [this](const kube::ObjectName& name, std::function<void(Verdict)> done) {
                 PlannedWrite write = plan(name);
                 const bool is_new = write.what == PlannedWrite::What::kCreate;
                 writer_.write(name, write, [this, name, is_new, done = std::move(done)](Verdict verdict) {
                   if (is_new && verdict == Verdict::kDone) expect(name);
                   done(verdict);
                 });
               }),
        unseen_timer_(parts.loop.make_timer([this] { look_at_unseen(); })) {
    queue_.hold();
  }

  // metadata.name and namespace are `name`'s; the label is added here. Of `object`, metadata and spec are kept.
  void want(const kube::ObjectName& name, T object) {
    object.metadata.name = name.name;
    object.metadata.name_space = name.name_space;
    object.metadata.labels.set(kManagedBy, kManagerName);
    const auto found = wanted_.find(name);
    const bool is_known =
        found != wanted_.end() && found->second.metadata == object.metadata && *found->second.spec == object.spec;
    if (is_known) return;
    wanted_.insert_or_assign(name,
                             Wanted{std::move(object.metadata), std::make_shared<const Spec>(std::move(object.spec))});
    queue_.add(name);
  }
  void forget(const kube::ObjectName& name) {
    if (wanted_.erase(name) > 0) queue_.add(name);
  }
  void note(const kube::ObjectName& name, const std::shared_ptr<const T>& object) {
    unseen_.erase(name);
    if (object == nullptr) {
      actual_.erase(name);
    } else {
      actual_[name] = object;
    }
    queue_.add(name);
  }

  void allow_removal() {
    if (std::exchange(may_remove_, true)) return;
    for (const auto& [name, object] : actual_) queue_.add(name);
  }
  // Everything is held against what was seen last.
  void look_at_all() {
    for (const auto& [name, object] : wanted_) queue_.add(name);
    for (const auto& [name, object] : actual_) queue_.add(name);
  }
  void lead(bool is_leading) { is_leading ? queue_.release_all() : queue_.hold(); }

  // As the watch has shown it; nullptr: it has not, or it is not ours.
  [[nodiscard]] const T* actual(const kube::ObjectName& name) const {
    const auto found = actual_.find(name);
    return found == actual_.end() ? nullptr : found->second.get();
  }
  [[nodiscard]] std::size_t wanted_count() const { return wanted_.size(); }
  [[nodiscard]] bool is_settled() const { return queue_.is_idle(); }
  [[nodiscard]] const WriteCounts& counts() const { return writer_.counts(); }

 private:
  using Spec = decltype(T::spec);
  struct Wanted {
    model::ObjectMeta metadata;
    std::shared_ptr<const Spec> spec;  // the actual object's own where that is as it should be: it is kept once

    [[nodiscard]] T object() const {
      T out;
      out.metadata = metadata;
      out.spec = *spec;
      return out;
    }
  };

  [[nodiscard]] PlannedWrite plan(const kube::ObjectName& name) {
    const auto found = wanted_.find(name);
    const T* const actual = this->actual(name);
    if (found == wanted_.end()) {
      if (actual == nullptr || !may_remove_ || actual->metadata.deletion_timestamp) return {};
      return {PlannedWrite::What::kRemove, {}, actual->metadata.uid, actual->metadata.resource_version};
    }
    Wanted& wanted = found->second;
    PlannedWrite write;
    if (actual == nullptr) {
      write.what = PlannedWrite::What::kCreate;
      codec::encode(wanted.object(), write.object);
      return write;
    }
    const bool has_spec = actual->spec == *wanted.spec;
    if (has_spec) wanted.spec = {actual_.at(name), &actual->spec};
    if (!has_spec || !has_metadata(actual->metadata, wanted.metadata) ||
        (kOwnsLabels<T> && actual->metadata.labels != wanted.metadata.labels)) {
      T object = wanted.object();
      object.metadata = merged_metadata(actual->metadata, object.metadata);
      if (kOwnsLabels<T>) object.metadata.labels = wanted.metadata.labels;
      write.what = PlannedWrite::What::kUpdate;
      codec::encode(object, write.object);
    }
    return write;
  }

  // What was made and is gone again before the watch, broken at the time, could show it leaves no event behind.
  void expect(const kube::ObjectName& name) {
    if (actual_.contains(name)) return;
    unseen_.insert(name);
    if (!unseen_timer_->is_armed()) unseen_timer_->arm(kUnseenMax);
  }
  void look_at_unseen() {
    for (const kube::ObjectName& name : std::exchange(unseen_, {})) queue_.add(name);
  }

  static constexpr Duration kUnseenMax = std::chrono::seconds(10);

  std::map<kube::ObjectName, Wanted> wanted_;
  std::map<kube::ObjectName, std::shared_ptr<const T>> actual_;
  bool may_remove_ = false;
  ObjectWriter writer_;
  KeyQueue<kube::ObjectName> queue_;
  std::set<kube::ObjectName> unseen_;
  std::unique_ptr<loop::Timer> unseen_timer_;
};

}  // namespace margay::controllers
