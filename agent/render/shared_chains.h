// SharedChains: chains that several endpoints jump to: policies, profiles, groups of policies. One is there while
// somebody jumps to it.
//
//   use(source) ─▶ ChainUse (a handle that counts)        take_dirty(): chains to be written or removed
//
// Pure, one thread.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "agent/render/names.h"
#include "agent/render/spec.h"

namespace margay::render {

struct PolicySource {
  model::ObjectKey policy;
};
struct ProfileSource {
  std::string profile;
};
// Only those that are enforced, in order.
struct GroupSource {
  std::vector<model::ObjectKey> policies;
};

struct ChainSource {
  Direction direction = Direction::kIngress;
  std::variant<PolicySource, ProfileSource, GroupSource> what;

  [[nodiscard]] std::string chain() const;
};

using ChainId = std::pair<iptables::TableId, std::string>;

class SharedChains {
 public:
  struct Entry {
    ChainSource source;
    std::size_t uses = 0;
    std::vector<Entry*> members;  // of a group: it uses them
    const ChainId* id = nullptr;
  };

  // As long as it exists the chain does. Must not outlive the SharedChains.
  class Use {
   public:
    Use(SharedChains& chains, Entry& entry) : chains_(&chains), entry_(&entry) {}
    Use(Use&& other) noexcept : chains_(other.chains_), entry_(std::exchange(other.entry_, nullptr)) {}
    Use& operator=(Use&& other) noexcept {
      std::swap(chains_, other.chains_);
      std::swap(entry_, other.entry_);
      return *this;
    }
    ~Use() {
      if (entry_ != nullptr) chains_->release(*entry_);
    }
    [[nodiscard]] const std::string& chain() const { return entry_->id->second; }

   private:
    SharedChains* chains_;
    Entry* entry_;
  };

  Use use(const iptables::TableId& table, const ChainSource& source);

  // What stands in it may have changed.
  void touch(const ChainSource& source);
  void touch_all();

  // Whether it is to be there, and what is in it; each once.
  struct Dirty {
    ChainId id;
    const ChainSource* source;  // null: nobody uses it any more
  };
  std::vector<Dirty> take_dirty();

 private:
  Entry& acquire(const iptables::TableId& table, const ChainSource& source);
  void release(Entry& entry);

  std::map<ChainId, Entry> entries_;
  std::set<ChainId> dirty_;
};

}  // namespace margay::render
