// Laggard: a member of an update group whose queue is full. What it knew of each prefix that has changed since is kept,
// once a prefix however often it changes, so that a peer that does not read costs no more than a table. When it has
// read, the difference to what the group has been told meanwhile is all it needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bgp/rib/adj_rib_out.h"
#include "bgp/rib/tables.h"

namespace margay::bgp::rib {

class Laggard {
 public:
  Laggard(Tables& tables, PeerId peer) : tables_(tables), peer_(peer) {}
  ~Laggard();
  Laggard(const Laggard&) = delete;
  Laggard& operator=(const Laggard&) = delete;

  [[nodiscard]] PeerId peer() const { return peer_; }
  // The prefix is about to change for the group, whose members know `known` of it.
  void note(Family family, PrefixId prefix, std::span<const AdjRibOut::Entry> known);
  // visit(prefix, known) for all that was noted, in that order.
  template <class Visit>
  void for_each(Family family, const Visit& visit) const {
    std::size_t at = 0;
    const Notes& notes = notes_[family];
    for (const Note& note : notes.prefixes) {
      visit(note.prefix, std::span(notes.known).subspan(at, note.count));
      at += note.count;
    }
  }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct Note {
    PrefixId prefix = kNoId;
    std::uint32_t count = 0;  // of entries
  };
  struct Notes {
    std::vector<Note> prefixes;           // each held
    std::vector<AdjRibOut::Entry> known;  // theirs, one after the other; with references
    std::vector<bool> is_noted;
  };

  Tables& tables_;
  PeerId peer_;
  PerFamily<Notes> notes_;
};

}  // namespace margay::bgp::rib
