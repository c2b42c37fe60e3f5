// ClusterWatch: all watches of a program as one: typed consumers, one turn for whatever has come, in sync when all are.
//
//   add<T>(kind, consumer…) ─▶ KindWatch<T> ─┐
//   add<U>(kind, consumer…) ─▶ KindWatch<U> ─┴─▶ consumers, then on_turn(is_in_sync): once, however many kinds changed
//
// A kind that the server has in an older version only (EndpointSlice before Kubernetes 1.21) is read in that one.
// A kind that the server does not have (404: its CRD is missing) counts as empty, with a warning; it is asked for again
// and again, and what it then has arrives like any change. Objects that cannot be decoded count as absent; invalid()
// names them.
// Thread: the loop's. Consumers are called from nowhere but a turn, and may do anything but add().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/core/field_error.h"
#include "base/core/task.h"
#include "datastore/codec/codec.h"
#include "datastore/model/key.h"
#include "datastore/watch/kind_watch.h"
#include "datastore/watch/resource_of.h"

namespace margay::watch {

template <class T>
using Consume = std::function<void(const model::ObjectKey& key, const std::shared_ptr<const T>& value)>;

// What to watch of a kind.
struct Scope {
  std::string name_space{};      // "": all
  std::string label_selector{};  // "": all
  std::string field_selector{};
  // Nothing waits for it: whatever prevents a list, the kind counts as empty until there is one.
  bool is_optional = false;
  friend bool operator==(const Scope&, const Scope&) = default;
};

class ClusterWatch {
 public:
  // What `environment` refers to outlives this.
  ClusterWatch(const WatchEnvironment& environment, std::function<void(bool is_in_sync)> on_turn);
  ~ClusterWatch();
  ClusterWatch(const ClusterWatch&) = delete;
  ClusterWatch& operator=(const ClusterWatch&) = delete;

  // Before start(). Consumers are called in this order. Of a kind that was added with the same scope before there is
  // one watch, with the decoder that was given first.
  template <class T>
  void add(const Scope& scope, std::vector<Consume<T>> consumers) {
    add<T>(T::kKind, scope, codec::decode<T>, std::move(consumers));
  }
  // With another decoder: for kinds that come in great numbers, or that are read in another way.
  template <class T>
  void add(model::Kind kind, const Scope& scope, std::function<FieldErrors(json::View, T&)> decode,
           std::vector<Consume<T>> consumers);

  void start();

  [[nodiscard]] bool is_in_sync() const;

  // For people.
  struct KindState {
    std::string resource;
    std::size_t objects = 0;
    bool is_in_sync = false;
    bool is_absent = false;  // counts as empty: the server does not have the kind, or it is optional
    std::string error;       // why it is not watching now; empty: it is
    // resourceVersion up to which the consumers know the kind; empty while something is on its way to them.
    std::string version;
  };
  [[nodiscard]] std::vector<KindState> states() const;
  // Objects that count as absent, as of the last time each was seen.
  [[nodiscard]] const std::map<model::ObjectKey, FieldErrors>& invalid() const { return invalid_; }

 private:
  // One kind, without its type.
  class Feed {
   public:
    virtual ~Feed() = default;
    virtual void start() = 0;
    // Hands over what has changed; whether all there was at the start has been handed over.
    virtual bool drain() = 0;
    // Something is on its way to the consumers.
    [[nodiscard]] virtual bool has_changes() const = 0;
    virtual void look(KindState& state) = 0;
    // A KindFeed<T> of that kind and scope.
    [[nodiscard]] virtual bool is_same(const void* type, model::Kind kind, const Scope& scope) const = 0;
    [[nodiscard]] virtual const WatchDriver& driver() const = 0;
    bool is_absent = false;
    bool is_in_sync = false;
    bool is_optional = false;
  };
  template <class T>
  class KindFeed;
  template <class T>
  static constexpr char kTypeOf = 0;  // its address stands for T

  void turn_soon();
  void turn();
  void note_failure(Feed& feed, model::Kind kind, const kube::ApiError& error);
  void note_invalid(model::Kind kind, const InvalidObject& object);

  WatchEnvironment environment_;
  std::function<void(bool)> on_turn_;
  std::map<model::ObjectKey, FieldErrors> invalid_;
  std::unique_ptr<loop::Timer> turn_timer_;
  std::vector<std::unique_ptr<Feed>> feeds_;  // first to end
};

template <class T>
class ClusterWatch::KindFeed final : public Feed {
 public:
  KindFeed(ClusterWatch& owner, model::Kind kind, const Scope& scope, std::function<FieldErrors(json::View, T&)> decode,
           std::vector<Consume<T>> consumers)
      : owner_(owner),
        kind_(kind),
        scope_(scope),
        consumers_(std::move(consumers)),
        watch_(owner.environment_,
               {.type = resource_of(kind),
                .name_space = scope.name_space,
                .reflector = {.label_selector = scope.label_selector, .field_selector = scope.field_selector},
                .old_version = old_version_of(kind)},
               {.decode = std::move(decode),
                .on_invalid = [this](const InvalidObject& object) { owner_.note_invalid(kind_, object); }}),
        consumer_(watch_.cache().subscribe([this] { owner_.turn_soon(); })) {
    watch_.set_on_failure([this](const kube::ApiError& error) { owner_.note_failure(*this, kind_, error); });
    is_optional = scope.is_optional;
  }

  void start() override { watch_.start(); }

  bool drain() override {
    const Batch<T> batch = consumer_->take();
    for (const Change<T>& change : batch.changes) {
      const model::ObjectKey key{kind_, change.name.name_space, change.name.name};
      if (change.value != nullptr) owner_.invalid_.erase(key);
      for (const Consume<T>& consume : consumers_) consume(key, change.value);
    }
    if (batch.is_in_sync) is_absent = false;
    is_in_sync = batch.is_in_sync;
    return is_in_sync || is_absent;
  }

  void add(std::vector<Consume<T>> consumers) {
    for (Consume<T>& each : consumers) consumers_.push_back(std::move(each));
  }
  [[nodiscard]] bool is_same(const void* type, model::Kind kind, const Scope& scope) const override {
    return type == &kTypeOf<T> && kind == kind_ && scope == scope_;
  }
  [[nodiscard]] bool has_changes() const override { return consumer_->has_changes(); }
  void look(KindState& state) override { state.objects = watch_.cache().size(); }
  [[nodiscard]] const WatchDriver& driver() const override { return watch_.driver(); }

 private:
  ClusterWatch& owner_;
  model::Kind kind_;
  Scope scope_;
  std::vector<Consume<T>> consumers_;
  KindWatch<T> watch_;
  std::unique_ptr<Consumer<T>> consumer_;
};

template <class T>
void ClusterWatch::add(model::Kind kind, const Scope& scope, std::function<FieldErrors(json::View, T&)> decode,
                       std::vector<Consume<T>> consumers) {
  for (const auto& feed : feeds_) {
    if (feed->is_same(&kTypeOf<T>, kind, scope)) return static_cast<KindFeed<T>&>(*feed).add(std::move(consumers));
  }
  feeds_.push_back(std::make_unique<KindFeed<T>>(*this, kind, scope, std::move(decode), std::move(consumers)));
}

}  // namespace margay::watch
