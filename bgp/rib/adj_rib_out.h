// AdjRibOut: what a group of peers was told, of one family. Twelve bytes a prefix; with add-path (RFC 7911) a chain of
// paths a prefix, each with the identifier it was told under, which it keeps as long as it is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "bgp/rib/listeners.h"
#include "bgp/rib/paged_vector.h"
#include "bgp/rib/tables.h"

namespace margay::bgp::rib {

class AdjRibOut {
 public:
  // One path of a prefix. `source_path_id`: of the path where it came from.
  struct Entry {
    Told told;
    std::uint32_t source_path_id = 0;
    std::uint32_t path_id = 0;  // told under; 0 without add-path
  };

  AdjRibOut(Tables& tables, Family family, bool has_path_ids)
      : tables_(tables), family_(family), has_path_ids_(has_path_ids) {}
  ~AdjRibOut() { clear(); }
  AdjRibOut(const AdjRibOut&) = delete;
  AdjRibOut& operator=(const AdjRibOut&) = delete;

  [[nodiscard]] bool has_path_ids() const { return has_path_ids_; }
  // Without add-path.
  [[nodiscard]] const Told& told(PrefixId prefix) const;
  void set_told(PrefixId prefix, const Told& told);

  // What was told of the prefix, ordered by path_id.
  void get(PrefixId prefix, std::vector<Entry>& out) const;
  // Replaces it. With add-path path_id is given by assign() first.
  void set(PrefixId prefix, const std::vector<Entry>& entries);
  // Gives each of `wanted` the identifier that its path has in `present`, or the lowest that is free.
  static void assign(const std::vector<Entry>& present, std::vector<Entry>& wanted);

  // Of what was told, how much this peer hears (as hears() says).
  [[nodiscard]] std::uint64_t count_heard(PeerId peer) const;

  // All prefixes of which something was told are below.
  [[nodiscard]] PrefixId limit() const { return has_path_ids_ ? chains_.size() : told_.size(); }
  void clear();
  [[nodiscard]] std::size_t memory_bytes() const {
    return told_.memory_bytes() + chains_.memory_bytes() + nodes_.memory_bytes();
  }

 private:
  struct Node {
    Entry entry;
    std::uint32_t next = kNoId;
  };
  struct Chain {
    std::uint32_t first = kNoId;
  };
  void retain(const Told& told);
  void release(const Told& told);
  void count(const Told& told, int sign);

  Tables& tables_;
  Family family_;
  bool has_path_ids_;
  PagedVector<Told> told_;
  PagedVector<Chain> chains_;
  PagedPool<Node> nodes_;
  std::uint64_t count_ = 0;
  std::vector<std::uint64_t> by_source_;                                     // by PeerId
  std::map<std::pair<std::uint32_t, PeerId>, std::uint64_t> by_originator_;  // with ORIGINATOR_ID: that and the source
};

}  // namespace margay::bgp::rib
