// FakeStore: the objects of address management in memory, with compare-and-swap as an API server has it. For tests.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <variant>

#include "base/core/text.h"
#include "cni/ipam/allocator.h"

namespace margay::ipam {

class FakeStore {
 public:
  using Key = std::pair<std::size_t, std::string>;  // kind, name

  Answer execute(const Call& call) {
    const Key key{call.object.index(), metadata_of(call.object).name};
    const auto found = objects_.find(key);
    switch (call.verb) {
      case Verb::kGet: return found == objects_.end() ? Answer(missing(key)) : Answer(found->second);
      case Verb::kCreate:
        if (found != objects_.end()) return Error{ErrorCode::kAlreadyExists, concat(key.second, " exists")};
        return write(key, call.object, concat("uid-", ++last_uid_));
      case Verb::kUpdate:
        if (found == objects_.end()) return missing(key);
        if (!is_same(found->second, call.object)) return Error{ErrorCode::kConflict, concat(key.second, " changed")};
        return write(key, call.object, metadata_of(found->second).uid);
      case Verb::kDelete:
        if (found == objects_.end()) return missing(key);
        if (!is_same(found->second, call.object)) return Error{ErrorCode::kConflict, concat(key.second, " changed")};
        objects_.erase(found);
        return call.object;
    }
    return missing(key);
  }

  [[nodiscard]] Listing list(const model::BlockOwner& owner) const {
    ListingBuilder builder(owner);
    for (const auto& [key, object] : objects_) {
      if (const auto* block = std::get_if<model::IpamBlock>(&object)) builder.add(*block);
      if (const auto* affinity = std::get_if<model::BlockAffinity>(&object)) builder.add(*affinity);
    }
    return builder.take();
  }

  // For tests that change things behind everybody's back.
  [[nodiscard]] std::map<Key, Object>& objects() { return objects_; }
  [[nodiscard]] std::vector<model::IpamBlockSpec> blocks() const {
    return specs<model::IpamBlock, model::IpamBlockSpec>();
  }
  [[nodiscard]] std::vector<model::BlockAffinitySpec> affinities() const {
    return specs<model::BlockAffinity, model::BlockAffinitySpec>();
  }
  [[nodiscard]] std::vector<model::IpamHandleSpec> handles() const {
    return specs<model::IpamHandle, model::IpamHandleSpec>();
  }
  [[nodiscard]] std::int64_t writes() const { return version_; }

 private:
  template <class T, class Spec>
  [[nodiscard]] std::vector<Spec> specs() const {
    std::vector<Spec> out;
    for (const auto& [key, object] : objects_) {
      if (const T* each = std::get_if<T>(&object)) out.push_back(each->spec);
    }
    return out;
  }
  static Error missing(const Key& key) { return {ErrorCode::kNotFound, concat(key.second, " does not exist")}; }
  static bool is_same(const Object& stored, const Object& known) {
    return metadata_of(stored).resource_version == metadata_of(known).resource_version;
  }
  Answer write(const Key& key, Object object, std::string uid) {
    std::visit(
        [&](auto& each) {
          each.metadata.resource_version = std::to_string(++version_);
          each.metadata.uid = std::move(uid);
        },
        object);
    objects_[key] = object;
    return object;
  }

  std::map<Key, Object> objects_;
  std::int64_t version_ = 0;
  std::int64_t last_uid_ = 0;
};

// An allocator with a store that answers at once, in order: requests as plain calls.
class DirectAllocator {
 public:
  DirectAllocator(FakeStore& store, const AllocatorConfig& config)
      : store_(store), allocator_(config), owner_(config.rules.owner) {
    run(allocator_.start(now));
  }

  AssignDone assign(Holder holder, std::vector<Demand> demands, int blocks_max = 0) {
    assigned_.clear();
    const RequestId id = ++last_id_;
    run(allocator_.assign(
        {.id = id, .holder = std::move(holder), .demands = std::move(demands), .blocks_max = blocks_max}, now));
    const auto found = assigned_.find(id);
    return found == assigned_.end() ? AssignDone{} : found->second;
  }
  ReleaseDone release(const std::string& handle) {
    released_.clear();
    const RequestId id = ++last_id_;
    run(allocator_.release({.id = id, .handle = handle}, now));
    const auto found = released_.find(id);
    return found == released_.end() ? ReleaseDone{} : found->second;
  }
  void tick(Duration after) {
    now.steady += after;
    now.wall += after;
    run(allocator_.on_tick(now));
  }
  void run(Outputs outputs) {
    std::deque<Output> todo(outputs.begin(), outputs.end());
    while (!todo.empty()) {
      const Output output = std::move(todo.front());
      todo.pop_front();
      for (Output& next : act(output)) todo.push_back(std::move(next));
    }
  }
  Allocator& allocator() { return allocator_; }

  Moment now{TimePoint(std::chrono::seconds(1000)), WallTime(std::chrono::seconds(1'700'000'000))};

 private:
  Outputs act(const Output& output) {
    if (const auto* issue = std::get_if<Issue>(&output)) {
      return allocator_.on_answer(issue->id, store_.execute(issue->call), now);
    }
    if (std::holds_alternative<WantListing>(output)) return allocator_.on_listing(store_.list(owner_), now);
    if (const auto* done = std::get_if<AssignDone>(&output)) assigned_[done->id] = *done;
    if (const auto* done = std::get_if<ReleaseDone>(&output)) released_[done->id] = *done;
    return {};
  }

  FakeStore& store_;
  Allocator allocator_;
  model::BlockOwner owner_;
  RequestId last_id_ = 0;
  std::map<RequestId, AssignDone> assigned_;
  std::map<RequestId, ReleaseDone> released_;
};

}  // namespace margay::ipam
