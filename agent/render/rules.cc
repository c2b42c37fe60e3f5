#include "agent/render/rules.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "agent/render/conditions.h"
#include "base/core/text.h"

namespace margay::render {
namespace {

using model::RuleAction;

constexpr std::size_t kLogPrefixMax = 29;  // xt_LOG: 30 bytes with the final zero

class Writer {
 public:
  Writer(const policy::Rule& rule, const RuleContext& context, std::vector<iptables::Rule>& out)
      : rule_(rule), context_(context), marks_(context.settings.marks), out_(out) {}

  void write() {
    const std::optional<Conditions> conditions = conditions_of(rule_, context_.family);
    if (!conditions) return;
    comment_ = concat(context_.owner.text, '[', rule_.index, ']');
    if (!conditions->blocks.empty()) write_blocks(conditions->blocks);
    const std::string all_blocks = conditions->blocks.empty() ? "" : has_mark(marks_.scratch0);
    write_action(spec({conditions->matches, all_blocks}));
  }

 private:
  void add(std::string spec) { out_.push_back({.spec = std::move(spec), .comment = comment_}); }

  void write_blocks(const std::vector<Block>& blocks) {
    bool is_first = true;
    for (const Block& block : blocks) {
      if (is_first) {
        // A negated one is true until a match says otherwise.
        add(set_mark(block.is_negated ? marks_.scratch0 : 0, marks_.scratch0 | marks_.scratch1));
        add_each(block, block.is_negated ? clear_mark(marks_.scratch0) : set_mark(marks_.scratch0));
      } else if (block.is_negated) {
        add_each(block, clear_mark(marks_.scratch0));
      } else {
        add(clear_mark(marks_.scratch1));
        add_each(block, set_mark(marks_.scratch1));
        add(spec({has_no_mark(marks_.scratch1), clear_mark(marks_.scratch0)}));
      }
      is_first = false;
    }
  }

  void add_each(const Block& block, const std::string& target) {
    for (const std::string& match : block.matches) add(spec({match, target}));
  }

  void write_action(const std::string& matches) {
    switch (rule_.action) {
      case RuleAction::kAllow:
        add(spec({matches, set_mark(marks_.accept)}));
        add(spec({has_mark(marks_.accept), kReturn}));
        return;
      case RuleAction::kPass:
        if (context_.is_profile) {
          add(spec({matches, kReturn}));
          return;
        }
        add(spec({matches, set_mark(marks_.pass)}));
        add(spec({has_mark(marks_.pass), kReturn}));
        return;
      case RuleAction::kDeny: add(spec({matches, deny(context_.table, context_.settings)})); return;
      case RuleAction::kLog:
        add(spec({matches, context_.settings.log_limit, "-j LOG --log-prefix",
                  quoted(log_prefix(context_.settings.log_prefix, context_.owner)), "--log-level 5"}));
        return;
    }
  }

  const policy::Rule& rule_;
  const RuleContext& context_;
  const Marks& marks_;
  std::vector<iptables::Rule>& out_;
  std::string comment_;
};

// Names of objects have nothing else; whatever it is, it cannot leave the quotes.
char harmless(char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '\'' ? c : '_'; }

std::string_view expansion(char letter, const RuleOwner& owner) {
  switch (letter) {
    case 't': return owner.tier;
    case 'k': return owner.kind;
    case 'n': return owner.name;
    case 'p': return owner.full_name;
    case '%': return "%";
    default: return "";
  }
}

}  // namespace

std::string log_prefix(const std::string& pattern, const RuleOwner& owner) {
  constexpr std::string_view kEnd = ": ";
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%' || i + 1 == pattern.size()) {
      out.push_back(pattern[i]);
    } else {
      out += expansion(pattern[++i], owner);
    }
  }
  out.resize(std::min(out.size(), kLogPrefixMax - kEnd.size()));
  for (char& c : out) c = harmless(c);
  return out.append(kEnd);
}

void render_rule(const policy::Rule& rule, const RuleContext& context, std::vector<iptables::Rule>& out) {
  // It would let pass more, or log more, than it says; a Deny may deny more.
  const bool is_wider = !problems_of(rule, "").empty();
  if (is_wider && rule.action != RuleAction::kDeny) return;
  Writer(rule, context, out).write();
}

}  // namespace margay::render
