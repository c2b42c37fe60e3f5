#include "agent/startup/identity.h"

#include <utility>

#include "base/core/text.h"
#include "datastore/codec/node_annotations.h"

namespace margay::startup {
namespace {

// One family's address: what it was, what it becomes, and what there is to say about it.
class AddressDecision {
 public:
  AddressDecision(IpFamily family, const AddressChoice& choice, const Surroundings& surroundings, std::set<Note>& notes)
      : family_(family), choice_(choice), surroundings_(surroundings), notes_(notes) {}

  std::optional<Detected> decide(const std::optional<InterfaceAddress>& present) {
    switch (choice_.kind) {
      case AddressChoice::Kind::kNone: return std::nullopt;
      case AddressChoice::Kind::kGiven: return given(present);
      case AddressChoice::Kind::kKeep:
        return present ? find_on_host(present->address, surroundings_.interfaces) : std::nullopt;
      case AddressChoice::Kind::kAutodetect: return autodetected(present);
    }
    return std::nullopt;
  }

 private:
  void note(Note::Kind kind, std::string message) { notes_.insert(Note{kind, std::move(message)}); }

  void note_difference(const std::optional<InterfaceAddress>& present, const Detected& chosen) {
    const std::string how = chosen.interface.empty() ? "" : concat(" on ", chosen.interface);
    if (!present) {
      note(Note::Kind::kAddressChosen,
           concat("the node's ", to_string(family_), " address is ", chosen.address.to_string(), how));
    } else if (present->address != chosen.address.address) {
      note(Note::Kind::kAddressChanged, concat("the node's ", to_string(family_), " address changes from ",
                                               present->to_string(), " to ", chosen.address.to_string(), how));
    }
  }

  Detected given(const std::optional<InterfaceAddress>& present) {
    const auto found = find_on_host(choice_.given->address, surroundings_.interfaces);
    Detected chosen = found.value_or(Detected{*choice_.given, ""});
    if (choice_.has_length) chosen.address.length = choice_.given->length;
    if (!found) {
      note(Note::Kind::kAddressNotLocal,
           concat(choice_.given->address.to_string(), ", which the environment gives, is on no interface that is up"));
    }
    note_difference(present, chosen);
    return chosen;
  }

  // Stays what it was where it can.
  std::optional<Detected> autodetected(const std::optional<InterfaceAddress>& present) {
    const auto detected = detect(choice_.method, family_, surroundings_);
    if (present && accepts(choice_.method, present->address, surroundings_)) {
      if (detected.ok() && detected->address.address != present->address) {
        note(Note::Kind::kAddressKept,
             concat("the node keeps ", present->address.to_string(), "; today ", detected->address.to_string(),
                    " would be chosen: remove the annotation to have it so"));
      }
      return find_on_host(present->address, surroundings_.interfaces);
    }
    if (!detected.ok()) {
      note(Note::Kind::kAddressMissing,
           present ? concat(detected.error().message, "; ", present->to_string(), " stays") : detected.error().message);
      if (!present) return std::nullopt;
      return Detected{*present, ""};
    }
    if (detected->interface.empty()) {
      note(Note::Kind::kAddressNotLocal,
           concat(detected->address.address.to_string(), ", which the Node object has, is on no interface that is up"));
    }
    const bool is_same = present && present->address == detected->address.address;
    if (is_same) return Detected{*present, ""};
    note_difference(present, *detected);
    return *detected;
  }

  IpFamily family_;
  const AddressChoice& choice_;
  const Surroundings& surroundings_;
  std::set<Note>& notes_;
};

void take(const std::optional<Detected>& chosen, std::optional<InterfaceAddress>& address, std::string& interface) {
  address.reset();
  if (!chosen) return;
  address = chosen->address;
  interface = chosen->interface;
}

}  // namespace

std::string_view to_string(Note::Kind kind) {
  switch (kind) {
    case Note::Kind::kAddressChosen: return "NodeAddressChosen";
    case Note::Kind::kAddressChanged: return "NodeAddressChanged";
    case Note::Kind::kAddressKept: return "NodeAddressKept";
    case Note::Kind::kAddressMissing: return "NodeAddressMissing";
    case Note::Kind::kAddressNotLocal: return "NodeAddressNotLocal";
    case Note::Kind::kBadAnnotation: return "BadAnnotation";
  }
  return "";
}

bool is_warning(Note::Kind kind) { return kind != Note::Kind::kAddressChosen && kind != Note::Kind::kAddressKept; }

Identity decide(const Environment& environment, const Surroundings& surroundings, const StringMap& annotations) {
  Identity identity;
  for (const FieldError& error : codec::read_node_annotations(annotations, identity.networking)) {
    identity.notes.insert({Note::Kind::kBadAnnotation, concat(error.path, ": ", error.message)});
  }
  model::NodeNetworking& out = identity.networking;
  AddressDecision v4(IpFamily::kV4, environment.ipv4, surroundings, identity.notes);
  take(v4.decide(out.ipv4_address), out.ipv4_address, identity.interface_v4);
  AddressDecision v6(IpFamily::kV6, environment.ipv6, surroundings, identity.notes);
  take(v6.decide(out.ipv6_address), out.ipv6_address, identity.interface_v6);
  if (environment.as_number) out.as_number = environment.as_number;
  return identity;
}

void AddressBook::set_node(const std::string& name, const StringMap* annotations) {
  if (name == own_name_) return;
  const auto known = by_node_.find(name);
  if (known != by_node_.end()) {
    for (const IpAddress& address : known->second) addresses_.erase({address, name});
    by_node_.erase(known);
  }
  if (annotations == nullptr) return;
  model::NodeNetworking networking;
  static_cast<void>(codec::read_node_annotations(*annotations, networking));
  for (const auto& address : {networking.ipv4_address, networking.ipv6_address}) {
    if (!address) continue;
    addresses_.emplace(address->address, name);
    by_node_[name].push_back(address->address);
  }
}

std::vector<AddressConflict> AddressBook::conflicts(const model::NodeNetworking& own) const {
  std::vector<AddressConflict> conflicts;
  for (const auto& address : {own.ipv4_address, own.ipv6_address}) {
    if (!address) continue;
    for (auto each = addresses_.lower_bound({address->address, ""});
         each != addresses_.end() && each->first == address->address; ++each) {
      conflicts.push_back({each->second, each->first});
    }
  }
  return conflicts;
}

}  // namespace margay::startup
