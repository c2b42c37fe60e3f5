// RoutePool: equal routes are held once. Many destinations lead the same way: what is kept for each of them is a
// reference of eight bytes. A pure value; references must end before their pool. One thread.
#pragma once

#include <cstddef>
#include <map>
#include <utility>

#include "dataplane/route/route.h"

namespace margay::route {

class RoutePool {
  struct Uses {
    RoutePool* pool = nullptr;
    std::size_t count = 0;
  };
  using Routes = std::map<Route, Uses>;
  using Held = Routes::value_type;

 public:
  // Equal if and only if the routes are.
  class Ref {
   public:
    Ref(const Ref& other) : held_(other.held_) {
      if (held_ != nullptr) ++held_->second.count;
    }
    Ref(Ref&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
      std::swap(held_, other.held_);
      return *this;
    }
    ~Ref() {
      if (held_ != nullptr && --held_->second.count == 0) held_->second.pool->erase(*held_);
    }
    const Route& operator*() const { return held_->first; }
    const Route* operator->() const { return &held_->first; }
    friend bool operator==(const Ref& a, const Ref& b) { return a.held_ == b.held_; }

   private:
    friend class RoutePool;
    explicit Ref(Held& held) : held_(&held) { ++held.second.count; }
    Held* held_;  // nullptr: moved from
  };

  RoutePool() = default;
  RoutePool(const RoutePool&) = delete;
  RoutePool& operator=(const RoutePool&) = delete;

  Ref put(Route route) {
    if (recent_ == nullptr || recent_->first != route) {
      recent_ = &*routes_.try_emplace(std::move(route), Uses{this, 0}).first;
    }
    return Ref(*recent_);
  }

  // Whether one of the routes held leaves by the interface.
  [[nodiscard]] bool uses(IfIndex interface) const;
  [[nodiscard]] std::size_t size() const { return routes_.size(); }

 private:
  void erase(const Held& held) {
    if (recent_ == &held) recent_ = nullptr;
    routes_.erase(routes_.find(held.first));
  }

  Routes routes_;
  Held* recent_ = nullptr;  // what was put last: the next is often the same
};

}  // namespace margay::route
