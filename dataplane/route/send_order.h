// In which order many routes go to the kernel.
//
// The kernel holds IPv4 routes in a trie whose nodes double as they fill and halve as they empty (linux:
// net/ipv4/fib_trie.c). In ascending order one edge of it is grown, copied and thrown away again and again; spread
// evenly over all of them, early ones make the tree and late ones fill it. And it looks for an equal next hop in a list
// of all with the same interface and metric (fib_find_info), newest first: routes that lead the same way go together.
// docs/benchmarks.md has what each is worth. Pure.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace margay::route {

// Calls visit(index) once for each index below `count`, in the order of their bits reversed: 0 4 2 6 1 5 3 7.
template <class Visit>
void for_each_spread(std::size_t count, Visit&& visit) {
  if (count == 0) return;
  const std::size_t top = std::bit_ceil(count) / 2;  // the highest bit of an index
  std::size_t index = 0;
  for (std::size_t left = count; left > 0;) {
    if (index < count) {
      visit(index);
      --left;
    }
    std::size_t bit = top;  // add one at the highest bit, carry downwards
    for (; (index & bit) != 0; bit /= 2) index -= bit;
    index += bit;
  }
}

// The places of a sorted list in the order to send them: group after group, each spread. `group_of` gives each place's
// group, a number below `groups`.
std::vector<std::uint32_t> send_order(const std::vector<std::uint32_t>& group_of, std::size_t groups);

}  // namespace margay::route
