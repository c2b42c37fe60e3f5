// FieldSet: a set of places in an object, as managedFields name the fields a manager owns.
//
// A place is a path of elements, each in the notation of FieldsV1:
//   f:NAME            the member of that name
//   k:{"name":"a"}    the element of a list with these keys (names in order)
//   v:"x"             the element of a set with that value
//   i:3               the element at that index
//
// A value; the order is that of the elements' texts. Source: Kubernetes API, FieldsV1; structured-merge-diff,
// fieldpath.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/json/value.h"

namespace margay::patch {

class FieldSet {
 public:
  struct Entry;

  FieldSet() = default;
  // In any order; entries of the same element are joined, those that say nothing are dropped.
  static FieldSet of(std::vector<Entry> entries);

  // From and to FieldsV1; the error names what is no element.
  static Result<FieldSet> parse(const json::Value& fields_v1);
  [[nodiscard]] json::Value to_value() const;

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] const Entry* find(std::string_view element) const;
  // Whether the place itself is in the set, not only places below it.
  [[nodiscard]] bool contains(std::span<const std::string> path) const;
  // Every place, as error messages write them: .spec.ports[port=80].name
  [[nodiscard]] std::vector<std::string> paths() const;

  // Also the members on the way to each place: whoever owns spec.a is responsible for spec.
  [[nodiscard]] FieldSet with_parents() const;
  // Without that place; what is below it stays / goes too.
  enum class Below { kStays, kGoes };
  void erase(std::span<const std::string> path, Below below);

  friend FieldSet union_of(const FieldSet& a, const FieldSet& b);
  friend FieldSet difference_of(const FieldSet& a, const FieldSet& b);
  friend FieldSet intersection_of(const FieldSet& a, const FieldSet& b);
  friend bool operator==(const FieldSet& a, const FieldSet& b);

 private:
  std::vector<Entry> entries_;  // sorted by element, each once
};

struct FieldSet::Entry {
  std::string element;
  bool is_member = false;
  FieldSet children;

  friend bool operator==(const Entry&, const Entry&) = default;
};

FieldSet union_of(const FieldSet& a, const FieldSet& b);
FieldSet difference_of(const FieldSet& a, const FieldSet& b);
FieldSet intersection_of(const FieldSet& a, const FieldSet& b);

}  // namespace margay::patch
