#include "ctl/command/nearest.h"

#include <algorithm>

#include "base/core/text.h"

namespace margay::command {
namespace {

constexpr std::size_t kWordMax = 64;  // longer words are no typing mistakes worth the work
constexpr std::size_t kPrefixMin = 3;

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  if (a.size() > kWordMax || b.size() > kWordMax) return limit + 1;
  const std::string from = to_lower(a);
  const std::string to = to_lower(b);
  // Rows i-2, i-1 and i of the optimal string alignment table.
  std::vector<std::size_t> before(to.size() + 1);
  std::vector<std::size_t> last(to.size() + 1);
  std::vector<std::size_t> row(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t change = from[i - 1] == to[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      const bool is_swap = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (is_swap) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return std::min(last[to.size()], limit + 1);
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.empty()) return {};
  const std::size_t limit = std::max<std::size_t>(1, word.size() / 3);
  std::size_t best = limit + 1;
  std::string found;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate, limit);
    if (distance < best) {
      best = distance;
      found = candidate;
    }
  }
  if (!found.empty() || word.size() < kPrefixMin) return found;
  const auto begins = [&](const std::string& c) { return equals_ignoring_case(c.substr(0, word.size()), word); };
  const auto longer = std::find_if(candidates.begin(), candidates.end(), begins);
  return longer == candidates.end() ? std::string() : *longer;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string found = nearest(word, candidates);
  return found.empty() ? std::string() : concat("; did you mean ", quoted(found), "?");
}

}  // namespace margay::command
