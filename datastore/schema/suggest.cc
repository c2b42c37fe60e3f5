#include "datastore/schema/suggest.h"

#include <algorithm>

#include "base/core/text.h"

namespace margay::schema {
namespace {

constexpr std::size_t kNameBytesMax = 64;  // longer names are not compared: the cost grows with the square

// Damerau's distance: inserted, deleted, replaced and swapped letters.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string_view>& candidates) {
  if (name.size() > kNameBytesMax) return std::nullopt;
  const std::string lower = to_lower(name);
  std::size_t best = std::clamp<std::size_t>(name.size() / 3, 0, 4) + 1;  // one beyond what counts as close
  std::optional<std::string> found;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kNameBytesMax) continue;
    const std::size_t away = distance(lower, to_lower(candidate));
    if (away >= best) continue;
    best = away;
    found = candidate;
  }
  return found;
}

}  // namespace margay::schema
