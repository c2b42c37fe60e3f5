// Cluster: a World after translation and calculation: what is enforced everywhere in it, and what could not be used.
//
//   World ─▶ translate ─▶ Engine ─▶ Delta ─▶ State
//
// Namespaces and service accounts that pods name and the World does not have are taken as there and without labels, and
// the three tiers that every cluster has as well: whoever asks with a few files should not have to write them.
// Pure; one thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "policy/desired/state.h"
#include "policy/question/world.h"

namespace margay::policy {

// Something about an object: what was left out of it, or why it counts as absent.
struct Note {
  ObjectKey object;
  FieldError error;

  friend bool operator==(const Note&, const Note&) = default;
};

class Cluster {
 public:
  // The world outlives this.
  explicit Cluster(const World& world);

  [[nodiscard]] const World& world() const { return world_; }
  [[nodiscard]] const State& state() const { return state_; }
  // In the order of the objects.
  [[nodiscard]] const std::vector<Note>& notes() const { return notes_; }

  // Null when no endpoint has it.
  [[nodiscard]] std::shared_ptr<const Endpoint> endpoint_at(const IpAddress& address) const;
  [[nodiscard]] std::shared_ptr<const Endpoint> endpoint_of(const ObjectKey& key) const;
  // The node with this address; "" when none has.
  [[nodiscard]] std::string node_at(const IpAddress& address) const;
  // What a policy was translated from; itself if it was not.
  [[nodiscard]] ObjectKey source_of(const ObjectKey& policy) const;

 private:
  void index();

  const World& world_;
  State state_;
  std::vector<Note> notes_;
  std::map<ObjectKey, ObjectKey> sources_;
  std::map<IpAddress, std::shared_ptr<const Endpoint>> by_address_;
  std::map<IpAddress, std::string> nodes_;
};

}  // namespace margay::policy
