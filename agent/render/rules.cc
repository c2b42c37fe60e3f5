#include "agent/render/rules.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "agent/render/conditions.h"
#include "base/core/text.h"

namespace margay::render {
namespace {

using model::RuleAction;

constexpr std::size_t kLogPrefixMax = 29;  // xt_LOG: 30 bytes with the final zero
// Behind so many rules a packet that is decided leaves, also when those that follow would decide the same.
constexpr std::size_t kRulesPerReturn = 8;

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
      case RuleAction::kAllow: add(spec({matches, set_mark(marks_.accept)})); return;
      case RuleAction::kPass:
        add(spec({matches, context_.is_profile ? std::string(kReturn) : set_mark(marks_.pass)}));
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

// 0: it ends the walk through the chain, or says nothing of the packet.
std::uint32_t mark_left_by(const policy::Rule& rule, const RuleContext& context) {
  const Marks& marks = context.settings.marks;
  if (rule.action == RuleAction::kAllow) return marks.accept;
  return rule.action == RuleAction::kPass && !context.is_profile ? marks.pass : 0;
}

std::vector<iptables::Rule> render_one(const policy::Rule& rule, const RuleContext& context) {
  // It would let pass more, or log more, than it says; a Deny may deny more.
  const bool is_wider = !problems_of(rule, "").empty();
  std::vector<iptables::Rule> out;
  if (!is_wider || rule.action == RuleAction::kDeny) Writer(rule, context, out).write();
  return out;
}

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

std::vector<iptables::Rule> render_rules(const std::vector<policy::Rule>& rules, const RuleContext& context) {
  std::vector<iptables::Rule> out;
  std::uint32_t decided = 0;  // the mark that packets may have been left with
  std::size_t returned_at = 0;
  for (const policy::Rule& rule : rules) {
    std::vector<iptables::Rule> next = render_one(rule, context);
    if (next.empty()) continue;
    const std::uint32_t mark = mark_left_by(rule, context);
    if (decided != 0 && (mark != decided || out.size() - returned_at >= kRulesPerReturn)) {
      out.push_back({.spec = spec({has_mark(decided), kReturn}), .comment = out.back().comment});
      returned_at = out.size();
    }
    decided = mark;
    std::move(next.begin(), next.end(), std::back_inserter(out));
  }
  out.shrink_to_fit();  // kept as long as the policy
  return out;
}

}  // namespace margay::render
