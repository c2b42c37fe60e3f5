// Identity: what a node calls itself in BGP and tunnels: its addresses and AS number, as annotations of its Node object
// say (Calico's names). Decided from what is configured, what the host has and what was decided before.
//
//   Environment, Surroundings, annotations that are there ─▶ decide ─▶ NodeNetworking to be written, Notes
//
// An address that was autodetected stays as long as the host has it and the method could have chosen it: what changes
// first on a host (the order of interfaces, a second address) does not move a node. Addresses of tunnels and keys are
// written by who assigns them: they pass through.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/startup/autodetection.h"
#include "agent/startup/environment.h"
#include "base/core/string_map.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/node_networking.h"

namespace margay::startup {

struct Note {
  enum class Kind : std::uint8_t {
    kAddressChosen,    // the first one
    kAddressChanged,   // connections to the old one are lost
    kAddressKept,      // the method would choose another today
    kAddressMissing,   // none was found: the node has none of the family
    kAddressNotLocal,  // given, or the Node's, and no interface has it
    kBadAnnotation,
  };
  Kind kind = Kind::kAddressChosen;
  std::string message;  // a sentence for people

  friend auto operator<=>(const Note&, const Note&) = default;
};
// "NodeAddressChanged", … : the reason of an Event.
std::string_view to_string(Note::Kind kind);
bool is_warning(Note::Kind kind);

struct Identity {
  model::NodeNetworking networking;
  std::string interface_v4;  // that has the address; "": none
  std::string interface_v6;
  std::set<Note> notes;

  friend bool operator==(const Identity&, const Identity&) = default;
};

Identity decide(const Environment& environment, const Surroundings& surroundings, const StringMap& annotations);

// Names of nodes, each with an address of ours: "node-b has 10.0.0.7 too". `nodes` may include our own.
struct AddressConflict {
  std::string node;
  IpAddress address;

  friend auto operator<=>(const AddressConflict&, const AddressConflict&) = default;
};
class AddressBook {
 public:
  explicit AddressBook(std::string own_name) : own_name_(std::move(own_name)) {}
  // Null: the node is gone. Annotations that cannot be read count as absent.
  void set_node(const std::string& name, const StringMap* annotations);
  [[nodiscard]] std::vector<AddressConflict> conflicts(const model::NodeNetworking& own) const;

 private:
  std::string own_name_;
  std::set<std::pair<IpAddress, std::string>> addresses_;
  std::map<std::string, std::vector<IpAddress>> by_node_;
};

}  // namespace margay::startup
