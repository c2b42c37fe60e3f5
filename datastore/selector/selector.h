// Selector: an expression over labels that picks endpoints, nodes or pools, in the language of projectcalico.org/v3
// ("Selector" in its reference of NetworkPolicy).
//
//   expression := term { "||" term }          term := factor { "&&" factor }
//   factor     := { "!" } ( "(" expression ")" | "all()" | "global()" | "has(" label ")" | label operation )
//   operation  := "==" text | "!=" text | "contains" text | "starts with" text | "ends with" text
//               | "in" set | "not in" set                     set := "{" [ text { "," text } [","] ] "}"
//   text       := '…' or "…", without escapes                 label := 1 to 512 of A-Z a-z 0-9 _ . / -
//
// Invariants
//   1. A Selector is a value: nothing in it refers to the text it came from.
//   2. canonical() of equal meaning by construction is equal text; parse(canonical()) gives an equal Selector. Blanks,
//      quotes, double negation and the order and repetition in sets do not count; the order of operands does.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/string_map.h"

namespace margay::selector {

// Where labels come from: an object's own, or those it inherits from its namespace and service account.
class LabelSource {
 public:
  virtual ~LabelSource() = default;
  [[nodiscard]] virtual std::optional<std::string_view> find_label(std::string_view name) const = 0;
};

struct Node {
  enum class Kind {
    kAll,
    kGlobal,  // objects without a namespace
    kHas,
    kEqual,
    kNotEqual,  // also without the label
    kContains,
    kStartsWith,
    kEndsWith,
    kIn,
    kNotIn,  // also without the label
    kNot,
    kAnd,
    kOr,
  };
  Kind kind = Kind::kAll;
  std::string label;
  std::vector<std::string> values;  // one; for kIn and kNotIn any number, sorted, each once
  std::vector<Node> operands;       // kNot: one; kAnd, kOr: two or more

  friend bool operator==(const Node&, const Node&) = default;
};

struct ParseLimits {
  std::size_t bytes_max = 65'536;
  std::size_t depth_max = 64;  // of parentheses
};

class Selector {
 public:
  // Selects everything.
  Selector() = default;
  explicit Selector(Node root) : root_(std::move(root)) {}

  // The empty text selects everything. The error says at which column (1-based, in bytes) what was found and what could
  // stand there.
  static Result<Selector> parse(std::string_view text, const ParseLimits& limits = {});

  [[nodiscard]] bool matches(const LabelSource& labels) const;
  [[nodiscard]] bool matches(const StringMap& labels) const;

  // The one text for this selector: what sets of members are named by.
  [[nodiscard]] std::string canonical() const;

  [[nodiscard]] bool is_all() const { return root_.kind == Node::Kind::kAll; }
  // global() has a meaning only where it stands alone, in the namespaceSelector of a rule: check the first everywhere
  // else, and the second there.
  [[nodiscard]] bool uses_global() const;
  [[nodiscard]] bool is_global() const { return root_.kind == Node::Kind::kGlobal; }

  [[nodiscard]] const Node& root() const { return root_; }
  // The same expression about labels whose names begin with `prefix`: pcns. turns a selector of namespaces into one of
  // endpoints.
  [[nodiscard]] Selector with_label_prefix(std::string_view prefix) const;

  friend bool operator==(const Selector&, const Selector&) = default;

 private:
  Node root_;
};

// Whether a label may be named so in a selector.
bool is_label_name(std::string_view text);

}  // namespace margay::selector
