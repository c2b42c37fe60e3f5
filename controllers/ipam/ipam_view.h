// IpamView: everything that address management and its users are, as watches have shown it: it may be old, and of
// several moments. Pure.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/ip/prefix.h"
#include "datastore/model/ip_pool.h"
#include "datastore/model/ipam.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/pod.h"

namespace margay::controllers {

// Looked up by views.
struct PodNameLess {
  using is_transparent = void;
  using View = std::pair<std::string_view, std::string_view>;
  static View view(const View& name) { return name; }
  static View view(const std::pair<std::string, std::string>& name) { return {name.first, name.second}; }
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return view(a) < view(b);
  }
};

class IpamView {
 public:
  template <class T>
  using Shared = std::shared_ptr<const T>;
  template <class T>
  using ByName = std::map<std::string, Shared<T>, std::less<>>;
  using Pods = std::map<std::pair<std::string, std::string>, Shared<model::Pod>, PodNameLess>;

  // nullptr: it is gone. `name` as in the object's metadata.
  void set(std::string_view name, const Shared<model::IpamBlock>& value) { put(blocks_, name, value); }
  void set(std::string_view name, const Shared<model::BlockAffinity>& value) { put(affinities_, name, value); }
  void set(std::string_view name, const Shared<model::IpamHandle>& value) { put(handles_, name, value); }
  void set(std::string_view name, const Shared<model::IpPool>& value) { put(pools_, name, value); }
  void set(std::string_view name, const Shared<model::Node>& value) { put(nodes_, name, value); }
  void set_pod(std::string_view name_space, std::string_view name, const Shared<model::Pod>& value) {
    std::pair<std::string, std::string> key(name_space, name);
    if (value == nullptr) {
      pods_.erase(key);
    } else {
      pods_[std::move(key)] = value;
    }
  }

  [[nodiscard]] const ByName<model::IpamBlock>& blocks() const { return blocks_; }
  [[nodiscard]] const ByName<model::BlockAffinity>& affinities() const { return affinities_; }
  [[nodiscard]] const ByName<model::IpamHandle>& handles() const { return handles_; }
  [[nodiscard]] const ByName<model::IpPool>& pools() const { return pools_; }
  [[nodiscard]] const ByName<model::Node>& nodes() const { return nodes_; }
  [[nodiscard]] const Pods& pods() const { return pods_; }

  // nullptr: there is none.
  [[nodiscard]] const model::Pod* pod(std::string_view name_space, std::string_view name) const {
    const auto found = pods_.find(PodNameLess::View(name_space, name));
    return found == pods_.end() ? nullptr : found->second.get();
  }
  [[nodiscard]] const model::Node* node(std::string_view name) const {
    const auto found = nodes_.find(name);
    return found == nodes_.end() ? nullptr : found->second.get();
  }
  // The pool that has the block; of several, the smallest.
  [[nodiscard]] const model::IpPool* pool_of(const IpPrefix& block) const {
    const model::IpPool* best = nullptr;
    for (const auto& [name, pool] : pools_) {
      const bool is_better = best == nullptr || pool->spec.cidr.length() > best->spec.cidr.length();
      if (is_better && pool->spec.cidr.contains(block)) best = pool.get();
    }
    return best;
  }

 private:
  template <class T>
  static void put(ByName<T>& all, std::string_view name, const Shared<T>& value) {
    if (value == nullptr) {
      if (const auto found = all.find(name); found != all.end()) all.erase(found);
    } else {
      all.insert_or_assign(std::string(name), value);
    }
  }

  ByName<model::IpamBlock> blocks_;
  ByName<model::BlockAffinity> affinities_;
  ByName<model::IpamHandle> handles_;
  ByName<model::IpPool> pools_;
  ByName<model::Node> nodes_;
  Pods pods_;
};

}  // namespace margay::controllers
