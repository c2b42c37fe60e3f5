// How a rule of ours is written, and known again when it is read back.
//
//   -A margay-fw-cali12 -m comment --comment "margay:<mark>" -m comment --comment "for people" <spec>
//
// The mark is a hash of the chain's name, the rule and its comment. That rules stand in their order, each once and no
// other among them, is seen by comparing the marks of a chain in order; so a rule that is put before others leaves
// their marks, and lines, as they are. Pure.
#pragma once

#include <array>
#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/iptables/rule.h"

namespace margay::iptables {

// 96 bits in base64 (RFC 4648 §4); all zero: a rule without our mark.
struct Mark {
  static constexpr std::size_t kSize = 16;
  std::array<char, kSize> text{};
  [[nodiscard]] std::string_view view() const { return {text.data(), text.size()}; }
  [[nodiscard]] bool is_ours() const { return text[0] != '\0'; }
  friend auto operator<=>(const Mark&, const Mark&) = default;
};

Mark mark_of(std::string_view chain, const Rule& rule);

// Our mark in what iptables-save printed behind "-A CHAIN ". nullopt: not a rule of ours.
std::optional<Mark> find_mark(std::string_view saved_spec);

// The chain that a rule jumps or goes to; empty without one.
std::string_view target_of(std::string_view spec);

// What stands behind "-A CHAIN ": the comments and the spec.
std::string full_spec(const Mark& mark, const Rule& rule);

// Why a rule cannot be given to iptables-restore, which would read something else from it (a line break, an open
// quote, more than its buffers hold); nullopt: it can.
std::optional<std::string> flaw_of(std::string_view chain, const Rule& rule);

// The words of a line as iptables-restore parts them: at blanks outside of double quotes. Quotes and backslashes stay
// in the words.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}
  std::optional<std::string_view> next();
  // The last word had no closing quote.
  [[nodiscard]] bool is_open() const { return is_open_; }

 private:
  std::string_view rest_;
  bool is_open_ = false;
};

}  // namespace margay::iptables
