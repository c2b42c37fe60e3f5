#include "base/json/random_value.h"

#include <bit>
#include <cmath>
#include <iterator>

#include "base/core/text.h"

namespace margay::json {
namespace {

constexpr std::string_view kNasty[] = {
    "",
    " ",
    "  leading",
    "trailing ",
    "yes",
    "no",
    "on",
    "off",
    "y",
    "n",
    "true",
    "True",
    "false",
    "null",
    "~",
    "Null",
    "0",
    "007",
    "1.5",
    "-1",
    "0x1F",
    "0o17",
    "1e3",
    ".5",
    "+1",
    "1_000",
    ".inf",
    "-.INF",
    ".nan",
    "2001-12-14",
    "12:30:45",
    "1:2",
    "a: b",
    "a:",
    ": ",
    "a #b",
    "#comment",
    "- item",
    "-",
    "--",
    "---",
    "...",
    "--- a",
    "? key",
    "?",
    "!tag",
    "&anchor",
    "*alias",
    "<<",
    "|",
    ">",
    "|-",
    "%YAML 1.2",
    "@at",
    "`tick",
    "[a]",
    "{a: b}",
    "a, b",
    "a]",
    "'single'",
    "\"double\"",
    "back\\slash",
    "line\n",
    "two\nlines",
    "two\nlines\n",
    "end\n\n",
    "\nstart",
    "  in\ndented",
    "a\n  b\nc",
    "tab\tin",
    "\ttab",
    "cr\rlf\r\n",
    "\x01\x1f",
    "\x7f",
    "ünïcödé",
    "日本語",
    "😀 smile",
    "\u00a0nbsp",
    "\u2028sep",
    "\ufeffbom",
    "\u0085nel",
    "a \n b",
    "a\n\nb",
    "a\n \nb",
    "x\n\t\ny",
    "10.0.0.0/8",
    "fe80::1",
    "::",
    "all()",
    "has(a) && b == 'c'",
    "key=value",
    "a:b",
    "http://x/y",
    "=",
    "*",
    "key: |\n  x",
};

std::string random_bytes(Random& random) {
  constexpr std::string_view kPieces[] = {"a", "b",  " ", "\n", ":", "#", "-", "\"",
                                          "'", "\\", "é", "\t", "1", "{", "]", ","};
  std::string out;
  for (std::uint64_t n = random.below(12); n > 0; --n) out.append(kPieces[random.below(std::size(kPieces))]);
  return out;
}

double random_double(Random& random) {
  switch (random.below(4)) {
    case 0: return static_cast<double>(random.below(1000)) / 8;
    case 1: return -random.unit();
    case 2: return static_cast<double>(random.next());
    default: break;
  }
  const auto number = std::bit_cast<double>(random.next());
  return std::isfinite(number) ? number : 0.25;
}

Value random_scalar(Random& random) {
  switch (random.below(5)) {
    case 0: return {};
    case 1: return random.below(2) == 0;
    case 2: return std::bit_cast<std::int64_t>(random.next() >> random.below(64));
    case 3: return random_double(random);
    default: return random_string(random);
  }
}

}  // namespace

std::string random_string(Random& random) {
  if (random.below(3) == 0) return random_bytes(random);
  return std::string(kNasty[random.below(std::size(kNasty))]);
}

Value random_value(Random& random, int depth_max) {
  const std::uint64_t shape = depth_max <= 0 ? 2 : random.below(4);
  if (shape == 0) {
    Array array;
    for (std::uint64_t n = random.below(5); n > 0; --n) array.push_back(random_value(random, depth_max - 1));
    return array;
  }
  if (shape == 1) {
    Object object;
    for (std::uint64_t n = random.below(6); n > 0; --n)
      object[random_string(random)] = random_value(random, depth_max - 1);
    return object;
  }
  return random_scalar(random);
}

}  // namespace margay::json
