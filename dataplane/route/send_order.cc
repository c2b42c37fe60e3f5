#include "dataplane/route/send_order.h"

namespace margay::route {

std::vector<std::uint32_t> send_order(const std::vector<std::uint32_t>& group_of, std::size_t groups) {
  std::vector<std::size_t> begin(groups + 1, 0);
  for (const std::uint32_t group : group_of) ++begin[group + 1];
  for (std::size_t group = 0; group < groups; ++group) begin[group + 1] += begin[group];

  std::vector<std::uint32_t> sorted(group_of.size());
  std::vector<std::size_t> next(begin.begin(), begin.end());
  for (std::uint32_t place = 0; place < group_of.size(); ++place) sorted[next[group_of[place]]++] = place;

  std::vector<std::uint32_t> order;
  order.reserve(group_of.size());
  for (std::size_t group = 0; group < groups; ++group) {
    for_each_spread(begin[group + 1] - begin[group],
                    [&](std::size_t index) { order.push_back(sorted[begin[group] + index]); });
  }
  return order;
}

}  // namespace margay::route
