// The input of one iptables-restore --noflush, and what its words say when it fails. Pure.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/iptables/rule.h"

namespace margay::iptables {

// Whose line it is.
struct Owner {
  enum class Kind : std::uint8_t {
    kNone,     // the frame
    kChain,    // content of a chain of ours
    kHook,     // our rules in a chain of the kernel
    kRemoval,  // a chain of ours that goes
  };
  Kind kind = Kind::kNone;
  std::string name;
  friend auto operator<=>(const Owner&, const Owner&) = default;
};

class Transaction {
 public:
  explicit Transaction(Table table);

  // Lines that follow are this one's.
  void begin(Owner owner);
  template <class... Parts>
  void line(const Parts&... parts) {
    (text_.append(parts), ...);
    text_.push_back('\n');
    ++lines_;
  }

  [[nodiscard]] bool empty() const { return lines_ == 1; }
  [[nodiscard]] std::size_t line_count() const { return lines_ - 1; }
  // As it is given to iptables-restore.
  [[nodiscard]] std::string input() const { return text_ + "COMMIT\n"; }
  // By the number iptables-restore gives to a line.
  [[nodiscard]] const Owner& owner(std::size_t number) const;

 private:
  std::string text_;
  std::size_t lines_ = 1;
  std::map<std::size_t, Owner> owners_;  // by the first line of each
};

// The lines that iptables-restore complains of; empty: it does not say.
std::vector<std::size_t> failed_lines(std::string_view errors);
// Its first words, on one line, without its name.
std::string summary_of(std::string_view errors);

}  // namespace margay::iptables
