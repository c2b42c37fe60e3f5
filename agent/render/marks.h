// Marks: the bits of a packet's mark that the chains use, and the texts that set and ask for them.
//
// Rules of policies leave their answer in two bits and return, so that the chain of the endpoint goes on with it. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/core/result.h"

namespace margay::render {

struct Marks {
  std::uint32_t accept = 0x10000;
  std::uint32_t pass = 0x20000;
  std::uint32_t scratch0 = 0x40000;
  std::uint32_t scratch1 = 0x80000;

  // The lowest bits of the mask; the error says how many there are.
  static Result<Marks> of(std::uint32_t mask);
  [[nodiscard]] std::uint32_t all() const { return accept | pass | scratch0 | scratch1; }
  friend bool operator==(const Marks&, const Marks&) = default;
};

// "-j MARK --set-xmark 0x10000/0x10000"
std::string set_mark(std::uint32_t bits);
// Sets `bits`, clears the rest of `mask`.
std::string set_mark(std::uint32_t bits, std::uint32_t mask);
std::string clear_mark(std::uint32_t bits);
// All of them; matches, not targets.
std::string has_mark(std::uint32_t bits);
std::string has_no_mark(std::uint32_t bits);
// At least one of them.
std::string has_some_mark(std::uint32_t bits);

}  // namespace margay::render
