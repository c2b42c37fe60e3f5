#include "datastore/patch/field_set.h"

#include <algorithm>

#include "base/core/text.h"
#include "datastore/patch/field_element.h"

namespace margay::patch {
namespace {

using json::Value;
using Entry = FieldSet::Entry;

constexpr std::string_view kItself = ".";

bool says_nothing(const Entry& entry) { return !entry.is_member && entry.children.empty(); }

// Which places of a pair of sets are in the result.
struct Rule {
  bool keeps_only_a;
  bool keeps_only_b;
  bool keeps_both;
};
constexpr Rule kUnion{true, true, true};
constexpr Rule kDifference{true, false, false};
constexpr Rule kIntersection{false, false, true};

FieldSet combined(const FieldSet& a, const FieldSet& b, const Rule& rule);

Entry combined(const Entry& a, const Entry& b, const Rule& rule) {
  Entry out{a.element, false, combined(a.children, b.children, rule)};
  if (a.is_member && b.is_member) {
    out.is_member = rule.keeps_both;
  } else {
    out.is_member = (a.is_member && rule.keeps_only_a) || (b.is_member && rule.keeps_only_b);
  }
  return out;
}

FieldSet combined(const FieldSet& a, const FieldSet& b, const Rule& rule) {
  std::vector<Entry> out;
  auto left = a.entries().begin();
  auto right = b.entries().begin();
  while (left != a.entries().end() || right != b.entries().end()) {
    const bool has_left = left != a.entries().end();
    const bool has_right = right != b.entries().end();
    if (has_left && (!has_right || left->element < right->element)) {
      if (rule.keeps_only_a) out.push_back(*left);
      ++left;
    } else if (has_right && (!has_left || right->element < left->element)) {
      if (rule.keeps_only_b) out.push_back(*right);
      ++right;
    } else {
      out.push_back(combined(*left++, *right++, rule));
    }
  }
  return FieldSet::of(std::move(out));
}

void append_paths(const FieldSet& set, const std::string& prefix, std::vector<std::string>& out) {
  for (const Entry& entry : set.entries()) {
    const std::string path = prefix + element_text(entry.element);
    if (entry.is_member) out.push_back(path);
    append_paths(entry.children, path, out);
  }
}

Result<Entry> parse_entry(const json::Member& member) {
  MARGAY_ASSIGN_OR_RETURN(std::string element, canonical_element(member.name));
  const json::Object* object = member.value.as_object();
  if (object == nullptr) return invalid(concat(quoted(member.name), " must be an object"));
  MARGAY_ASSIGN_OR_RETURN(FieldSet children, FieldSet::parse(member.value));
  const bool is_member = object->empty() || object->find(kItself) != nullptr;
  return Entry{std::move(element), is_member, std::move(children)};
}

}  // namespace

FieldSet FieldSet::of(std::vector<Entry> entries) {
  std::erase_if(entries, says_nothing);
  const auto by_element = [](const Entry& x, const Entry& y) { return x.element < y.element; };
  if (!std::is_sorted(entries.begin(), entries.end(), by_element))
    std::stable_sort(entries.begin(), entries.end(), by_element);
  FieldSet set;
  set.entries_.reserve(entries.size());
  for (Entry& entry : entries) {
    if (!set.entries_.empty() && set.entries_.back().element == entry.element) {
      set.entries_.back() = combined(set.entries_.back(), entry, kUnion);
    } else {
      set.entries_.push_back(std::move(entry));
    }
  }
  return set;
}

Result<FieldSet> FieldSet::parse(const Value& fields_v1) {
  const json::Object* object = fields_v1.as_object();
  if (object == nullptr) return invalid(concat("FieldsV1 must be an object, found ", to_string(fields_v1.type())));
  std::vector<Entry> entries;
  for (const json::Member& member : *object) {
    if (member.name == kItself) continue;
    MARGAY_ASSIGN_OR_RETURN(Entry entry, parse_entry(member));
    entries.push_back(std::move(entry));
  }
  return of(std::move(entries));
}

Value FieldSet::to_value() const {
  json::Object out;
  for (const Entry& entry : entries_) {
    Value below = entry.children.to_value();
    if (!entry.is_member || entry.children.empty()) {
      out.append_new(entry.element, std::move(below));
      continue;
    }
    json::Object with_itself;
    with_itself.append_new(std::string(kItself), json::Object{});
    for (json::Member& member : *below.as_object())
      with_itself.append_new(std::move(member.name), std::move(member.value));
    out.append_new(entry.element, std::move(with_itself));
  }
  return out;
}

const Entry* FieldSet::find(std::string_view element) const {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), element,
                                   [](const Entry& entry, std::string_view text) { return entry.element < text; });
  return at == entries_.end() || at->element != element ? nullptr : &*at;
}

bool FieldSet::contains(std::span<const std::string> path) const {
  if (path.empty()) return false;
  const Entry* entry = find(path.front());
  if (entry == nullptr) return false;
  return path.size() == 1 ? entry->is_member : entry->children.contains(path.subspan(1));
}

std::vector<std::string> FieldSet::paths() const {
  std::vector<std::string> out;
  append_paths(*this, "", out);
  return out;
}

FieldSet FieldSet::with_parents() const {
  FieldSet set;
  for (const Entry& entry : entries_) {
    const bool is_parent = is_member_element(entry.element) && !entry.children.empty();
    set.entries_.push_back({entry.element, entry.is_member || is_parent, entry.children.with_parents()});
  }
  return set;
}

void FieldSet::erase(std::span<const std::string> path, Below below) {
  const auto at =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.element == path.front(); });
  if (at == entries_.end()) return;
  if (path.size() > 1) {
    at->children.erase(path.subspan(1), below);
  } else {
    at->is_member = false;
    if (below == Below::kGoes) at->children = {};
  }
  if (says_nothing(*at)) entries_.erase(at);
}

FieldSet union_of(const FieldSet& a, const FieldSet& b) { return combined(a, b, kUnion); }
FieldSet difference_of(const FieldSet& a, const FieldSet& b) { return combined(a, b, kDifference); }
FieldSet intersection_of(const FieldSet& a, const FieldSet& b) { return combined(a, b, kIntersection); }
bool operator==(const FieldSet& a, const FieldSet& b) { return a.entries_ == b.entries_; }

}  // namespace margay::patch
