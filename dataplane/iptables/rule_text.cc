#include "dataplane/iptables/rule_text.h"

#include <algorithm>

#include "base/core/base64.h"
#include "base/core/text.h"
#include "base/digest/digest.h"

namespace margay::iptables {
namespace {

constexpr std::string_view kMarkPrefix = "margay:";
// linux/netfilter/xt_comment.h, XT_MAX_COMMENT_LEN, with its terminating zero.
constexpr std::size_t kCommentMax = 255;
// iptables/xshared.c and iptables-restore.c: its buffers for a line, for a word, and for their number.
constexpr std::size_t kLineMax = 10'239;
constexpr std::size_t kWordMax = 1'023;
constexpr std::size_t kWordsMax = 250;

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

std::string_view without_quotes(std::string_view word) {
  if (word.size() >= 2 && word.front() == '"' && word.back() == '"') return word.substr(1, word.size() - 2);
  return word;
}

std::optional<Mark> parse_mark(std::string_view comment) {
  if (comment.size() != kMarkPrefix.size() + Mark::kSize || !comment.starts_with(kMarkPrefix)) return std::nullopt;
  const std::string_view text = comment.substr(kMarkPrefix.size());
  if (!std::all_of(text.begin(), text.end(), is_base64)) return std::nullopt;
  Mark mark;
  std::copy(text.begin(), text.end(), mark.text.begin());
  return mark;
}

// Cut to what the kernel keeps, not within a character of UTF-8; nothing that ends a line.
std::string as_comment(std::string_view text) {
  std::size_t size = std::min(text.size(), kCommentMax);
  const auto continues = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U; };
  while (size < text.size() && size > 0 && continues(size)) --size;
  std::string out = "\"";
  for (const char c : text.substr(0, size)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    out += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  return out += '"';
}

}  // namespace

std::optional<std::string_view> Words::next() {
  const std::size_t begin = rest_.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return std::nullopt;
  bool is_quoted = false;
  std::size_t end = begin;
  for (; end < rest_.size(); ++end) {
    const char c = rest_[end];
    if (is_quoted && c == '\\' && end + 1 < rest_.size()) {
      ++end;
    } else if (c == '"') {
      is_quoted = !is_quoted;
    } else if (!is_quoted && (c == ' ' || c == '\t')) {
      break;
    }
  }
  is_open_ = is_quoted;
  const std::string_view word = rest_.substr(begin, end - begin);
  rest_.remove_prefix(end);
  return word;
}

Mark mark_of(std::string_view chain, const Rule& rule) {
  // Neither has a zero byte: three texts, parted without doubt.
  const auto hash = digest::sha256(concat(chain, '\0', rule.spec, '\0', rule.comment));
  const std::string text = base64_encode({reinterpret_cast<const char*>(hash.data()), Mark::kSize / 4 * 3});
  Mark mark;
  std::copy(text.begin(), text.end(), mark.text.begin());
  return mark;
}

std::optional<Mark> find_mark(std::string_view saved_spec) {
  // Most rules of others end here.
  if (saved_spec.find(kMarkPrefix) == std::string_view::npos) return std::nullopt;
  Words words(saved_spec);
  for (auto word = words.next(); word; word = words.next()) {
    if (*word != "--comment") continue;
    const auto comment = words.next();
    if (!comment) return std::nullopt;
    if (const auto mark = parse_mark(without_quotes(*comment))) return mark;
  }
  return std::nullopt;
}

std::string_view target_of(std::string_view spec) {
  Words words(spec);
  for (auto word = words.next(); word; word = words.next()) {
    if (*word == "-j" || *word == "-g" || *word == "--jump" || *word == "--goto") {
      return without_quotes(words.next().value_or(std::string_view()));
    }
  }
  return {};
}

std::string full_spec(const Mark& mark, const Rule& rule) {
  std::string out = concat("-m comment --comment \"", kMarkPrefix, mark.view(), '"');
  if (!rule.comment.empty()) out.append(" -m comment --comment ").append(as_comment(rule.comment));
  return out.append(" ").append(rule.spec);
}

std::optional<std::string> flaw_of(std::string_view chain, const Rule& rule) {
  // Nearly all: too short for any limit, and without anything that is read in another way.
  constexpr std::string_view kSpecial("\"\n\r\0", 4);
  const bool is_short = rule.spec.size() <= kWordsMax && rule.comment.size() <= kCommentMax;
  if (is_short && rule.spec.find_first_of(kSpecial) == std::string::npos) return std::nullopt;
  if (rule.spec.find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos) return "a line break in the rule";
  if (chain.size() + full_spec(Mark{}, rule).size() + Mark::kSize > kLineMax)
    return "longer than iptables-restore reads";
  std::size_t count = 0;
  Words words(rule.spec);
  for (auto word = words.next(); word; word = words.next(), ++count) {
    if (word->size() > kWordMax) return "a word longer than iptables-restore reads";
  }
  if (words.is_open()) return "an open quote";
  if (count > kWordsMax) return "more words than iptables-restore reads";
  return std::nullopt;
}

}  // namespace margay::iptables
