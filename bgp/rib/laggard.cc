#include "bgp/rib/laggard.h"

namespace margay::bgp::rib {

Laggard::~Laggard() {
  for (const Family family : kFamilies) {
    for (const AdjRibOut::Entry& entry : notes_[family].known) {
      tables_.attributes.release(entry.told.attributes);
      tables_.next_hops.release(entry.told.next_hop);
    }
    for (const Note& note : notes_[family].prefixes) tables_.prefixes[family].unhold(note.prefix);
  }
}

void Laggard::note(Family family, PrefixId prefix, std::span<const AdjRibOut::Entry> known) {
  Notes& notes = notes_[family];
  if (notes.is_noted.size() <= prefix) notes.is_noted.resize(std::size_t{prefix} * 5 / 4 + 64);
  if (notes.is_noted[prefix]) return;
  notes.is_noted[prefix] = true;
  notes.prefixes.push_back({prefix, static_cast<std::uint32_t>(known.size())});
  tables_.prefixes[family].hold(prefix);
  for (const AdjRibOut::Entry& entry : known) {
    tables_.attributes.retain(entry.told.attributes);
    tables_.next_hops.retain(entry.told.next_hop);
    notes.known.push_back(entry);
  }
}

std::size_t Laggard::memory_bytes() const {
  std::size_t bytes = 0;
  for (const Family family : kFamilies) {
    const Notes& notes = notes_[family];
    bytes += notes.prefixes.capacity() * sizeof(Note) + notes.known.capacity() * sizeof(AdjRibOut::Entry) +
             notes.is_noted.size() / 8;
  }
  return bytes;
}

}  // namespace margay::bgp::rib
