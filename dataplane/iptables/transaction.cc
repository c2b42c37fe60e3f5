#include "dataplane/iptables/transaction.h"

#include <utility>

#include "base/core/text.h"

namespace margay::iptables {
namespace {

constexpr std::size_t kSummaryMax = 300;

}  // namespace

Transaction::Transaction(Table table) : text_(concat('*', to_string(table), '\n')) { owners_[1] = {}; }

void Transaction::begin(Owner owner) { owners_.insert_or_assign(lines_ + 1, std::move(owner)); }

const Owner& Transaction::owner(std::size_t number) const {
  if (number > lines_ || number == 0) return owners_.begin()->second;  // COMMIT
  return std::prev(owners_.upper_bound(number))->second;
}

// "Error occurred at line: 4", "iptables-restore: line 4 failed", "line 3: RULE_APPEND failed (…): rule in chain …".
std::vector<std::size_t> failed_lines(std::string_view errors) {
  constexpr std::string_view kWord = "line";
  std::vector<std::size_t> lines;
  for (std::size_t at = errors.find(kWord); at != std::string_view::npos; at = errors.find(kWord, at)) {
    at += kWord.size();
    const std::size_t digits = errors.find_first_not_of(": ", at);
    if (digits == std::string_view::npos || digits == at) continue;
    const std::size_t end = errors.find_first_not_of("0123456789", digits);
    const auto number =
        parse_number<std::size_t>(errors.substr(digits, end == std::string_view::npos ? end : end - digits));
    if (number) lines.push_back(*number);
  }
  return lines;
}

std::string summary_of(std::string_view errors) {
  std::string out;
  for (const std::string_view line : split(errors, '\n')) {
    const std::string_view words = trim(line);
    // The name of the program, and how to call it for help.
    const std::size_t name_end = words.find("): ");
    if (words.empty() || words.starts_with("Try `")) continue;
    if (!out.empty()) out += "; ";
    out += words.starts_with("ip") && name_end != std::string_view::npos ? words.substr(name_end + 3) : words;
    if (out.size() > kSummaryMax) return out.substr(0, kSummaryMax) + "…";
  }
  return out;
}

}  // namespace margay::iptables
