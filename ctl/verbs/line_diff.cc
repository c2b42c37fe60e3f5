#include "ctl/verbs/line_diff.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/core/text.h"

namespace margay::verbs {
namespace {

using Lines = std::vector<std::string_view>;

constexpr std::size_t kLinesMax = 4000;  // the table of the comparison grows with the square
constexpr std::size_t kAround = 3;

struct Edit {
  char mark;  // ' ', '-' or '+'
  std::string_view line;
  std::size_t before_at;  // line numbers from 0, in either text
  std::size_t after_at;
};

Lines lines_of(std::string_view text) {
  if (text.empty()) return {};
  if (text.ends_with('\n')) text.remove_suffix(1);
  return split(text, '\n');
}

// Longest common subsequence of what stands between the equal beginning and end.
std::vector<Edit> edits_of(const Lines& a, const Lines& b) {
  std::vector<Edit> edits;
  if (a.size() > kLinesMax || b.size() > kLinesMax) {
    for (std::size_t i = 0; i < a.size(); ++i) edits.push_back({'-', a[i], i, 0});
    for (std::size_t j = 0; j < b.size(); ++j) edits.push_back({'+', b[j], a.size(), j});
    return edits;
  }
  const std::size_t width = b.size() + 1;
  std::vector<std::uint16_t> common((a.size() + 1) * width, 0);
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) {
      common[i * width + j] = a[i] == b[j] ? static_cast<std::uint16_t>(common[(i + 1) * width + j + 1] + 1)
                                           : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      edits.push_back({' ', a[i], i, j});
      ++i;
      ++j;
    } else if (j == b.size() || (i < a.size() && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      edits.push_back({'-', a[i], i, j});
      ++i;
    } else {
      edits.push_back({'+', b[j], i, j});
      ++j;
    }
  }
  return edits;
}

std::string hunk(const std::vector<Edit>& edits, std::size_t begin, std::size_t end) {
  std::size_t removed = 0;
  std::size_t added = 0;
  std::string lines;
  for (std::size_t k = begin; k < end; ++k) {
    if (edits[k].mark != '+') ++removed;
    if (edits[k].mark != '-') ++added;
    lines.append(1, edits[k].mark).append(edits[k].line).append("\n");
  }
  // An empty side stands behind the line before it, as diff(1) counts.
  const std::size_t before = edits[begin].before_at + (removed > 0 ? 1 : 0);
  const std::size_t after = edits[begin].after_at + (added > 0 ? 1 : 0);
  return concat("@@ -", before, ',', removed, " +", after, ',', added, " @@\n", lines);
}

}  // namespace

std::string line_diff(std::string_view before, std::string_view after) {
  const std::vector<Edit> edits = edits_of(lines_of(before), lines_of(after));
  std::string out;
  std::size_t at = 0;
  while (true) {
    while (at < edits.size() && edits[at].mark == ' ') ++at;
    if (at == edits.size()) return out;
    const std::size_t begin = at - std::min(at, kAround);
    std::size_t last = at;  // the last change of this hunk
    for (std::size_t k = at; k < edits.size() && k <= last + 2 * kAround; ++k) {
      if (edits[k].mark != ' ') last = k;
    }
    const std::size_t end = std::min(edits.size(), last + kAround + 1);
    out.append(hunk(edits, begin, end));
    at = end;
  }
}

}  // namespace margay::verbs
