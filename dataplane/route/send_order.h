// send_order: in which order many prefixes go to the kernel.
//
// The kernel holds IPv4 routes in a trie whose nodes double as they fill and halve as they empty (linux:
// net/ipv4/fib_trie.c). In ascending order one edge of it is grown, copied and thrown away again and again; spread
// evenly over all of them, early ones make the tree and late ones fill it. Measured with 100,000 routes: a quarter less
// CPU time to add them, a quarter to a half of it to remove them (docs/benchmarks.md).
#pragma once

#include <bit>
#include <cstddef>

namespace margay::route {

// Calls visit(index) -> bool (false: no further) once for each index below `count`: those of a sorted list, taken in
// the order of their bits reversed. 0 4 2 6 1 5 3 7.
template <class Visit>
void for_each_spread(std::size_t count, Visit&& visit) {
  if (count == 0) return;
  const std::size_t top = std::bit_ceil(count) / 2;  // the highest bit of an index
  std::size_t index = 0;
  for (std::size_t left = count; left > 0;) {
    if (index < count) {
      if (!visit(index)) return;
      --left;
    }
    std::size_t bit = top;  // add one at the highest bit, carry downwards
    for (; (index & bit) != 0; bit /= 2) index -= bit;
    index += bit;
  }
}

}  // namespace margay::route
