#include "ctl/verbs/policy_output.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/core/text.h"
#include "base/json/value.h"
#include "ctl/verbs/colour.h"

namespace margay::verbs {
namespace {

std::string answer_text(policy::Answer answer, std::string_view text, Shown shown) {
  return coloured(text, answer == policy::Answer::kAllow ? kGreen : kRed, shown.has_colour);
}

std::string_view way_of(policy::Direction direction) {
  return direction == policy::Direction::kIngress ? "ingress" : "egress";
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string line_of(const policy::Step& step) {
  std::string out = concat("  ", padded(std::string(way_of(step.direction)), 8), padded(step.tier, 14), " ");
  if (step.policy) out += step.policy->to_string();
  if (step.rule) out += concat(" rule ", *step.rule);
  if (step.is_staged) out += " (staged)";
  return out + concat(step.policy ? ": " : "", step.what, "\n");
}

json::Value decided_by(const policy::Answered& answer) {
  if (!answer.verdict.decided_by) return nullptr;
  const policy::Decision& decision = *answer.verdict.decided_by;
  json::Object out;
  out["tier"] = decision.tier.empty() ? json::Value() : json::Value(decision.tier);
  if (decision.policy) {
    const model::ObjectKey& key = *decision.policy;
    out["policy"] = key.name_space.empty() ? key.name : concat(key.name_space, '/', key.name);
  } else {
    out["policy"] = json::Value();
  }
  if (!decision.profile.empty()) out["profile"] = decision.profile;
  out["rule"] = decision.rule ? json::Value(std::int64_t{*decision.rule}) : json::Value();
  out["direction"] = way_of(decision.direction);
  return out;
}

json::Value port_of(const policy::Target& target) {
  if (!target.port) return nullptr;
  if (const PortRange* range = target.port->range()) return std::int64_t{range->first().value()};
  return *target.port->name();
}

json::Value answer_json(const policy::Answered& answer) {
  json::Object out;
  out["from"] = answer.from;
  out["to"] = answer.to;
  out["protocol"] = answer.target.protocol.to_string();
  out["port"] = port_of(answer.target);
  out["verdict"] = word_of(answer.verdict.answer);
  out["decidedBy"] = decided_by(answer);
  return out;
}

// For XML 1.0: control characters cannot be written there at all.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\n': out += "&#10;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return out;
}

class Grid {
 public:
  Grid(const policy::Matrix& matrix, Shown shown) : matrix_(matrix), shown_(shown) {
    for (const policy::Answered& answer : matrix.answers) {
      answers_[{answer.from, answer.to}].emplace(answer.target, answer.verdict.answer);
    }
    for (const policy::End& end : matrix.ends) name_width_ = std::max(name_width_, end.name.size());
    number_width_ = concat(matrix.ends.size()).size();
    cell_width_ = std::max(matrix.targets.size(), number_width_);
  }

  std::string text() const {
    std::string out = "ports, in this order:";
    for (const policy::Target& target : matrix_.targets) out += concat(" ", target.to_string());
    out += "   (. allow, X deny, - nothing to ask)\n\n";
    out += std::string(number_width_ + 1 + name_width_, ' ');
    for (std::size_t i = 1; i <= matrix_.ends.size(); ++i) out += concat("  ", padded(concat(i), cell_width_));
    out += "\n";
    for (std::size_t i = 0; i < matrix_.ends.size(); ++i) out += row(i);
    return trimmed_lines(out);
  }

 private:
  std::string row(std::size_t index) const {
    const policy::End& from = matrix_.ends[index];
    std::string out = concat(padded(concat(index + 1), number_width_), " ", padded(from.name, name_width_));
    for (const policy::End& to : matrix_.ends) out += concat("  ", cell(from.name, to.name));
    return out + "\n";
  }

  std::string cell(const std::string& from, const std::string& to) const {
    const auto at = answers_.find({from, to});
    std::string out;
    for (const policy::Target& target : matrix_.targets) {
      if (at == answers_.end() || !at->second.contains(target)) {
        out += "-";
      } else {
        const policy::Answer answer = at->second.at(target);
        out += answer_text(answer, answer == policy::Answer::kAllow ? "." : "X", shown_);
      }
    }
    return out + std::string(cell_width_ - matrix_.targets.size(), ' ');
  }

  static std::string trimmed_lines(const std::string& text) {
    std::vector<std::string> lines;
    for (const std::string_view line : split(text, '\n')) {
      const std::size_t end = line.find_last_not_of(' ');
      lines.emplace_back(line.substr(0, end == std::string_view::npos ? 0 : end + 1));
    }
    return join(lines, "\n");
  }

  const policy::Matrix& matrix_;
  Shown shown_;
  std::map<std::pair<std::string, std::string>, std::map<policy::Target, policy::Answer>> answers_;
  std::size_t name_width_ = 0;
  std::size_t number_width_ = 0;
  std::size_t cell_width_ = 0;
};

}  // namespace

std::string_view word_of(policy::Answer answer) { return answer == policy::Answer::kAllow ? "allow" : "deny"; }

std::string reason_of(const policy::Answered& answer) {
  if (!answer.verdict.decided_by) return answer.note;
  const policy::Decision& decision = *answer.verdict.decided_by;
  const bool says_direction = decision.policy.has_value() || !decision.profile.empty();
  return concat(decision.to_string(), says_direction ? "" : ", ", says_direction ? "" : way_of(decision.direction));
}

std::string as_text(const policy::Answered& answer, Shown shown) {
  std::string out = concat(answer.from, " -> ", answer.to, " ", answer.target.to_string(), ": ",
                           answer_text(answer.verdict.answer, word_of(answer.verdict.answer), shown), "\n");
  out += concat("  ", reason_of(answer), "\n");
  if (answer.made_of) {
    out +=
        concat("  made of ", answer.made_of->to_string(), " (", model::info(answer.made_of->kind).api_version, ")\n");
  }
  if (answer.verdict.path.empty()) return out;
  out += "the way there:\n";
  for (const policy::Step& step : answer.verdict.path) out += line_of(step);
  return out;
}

std::string as_grid(const policy::Matrix& matrix, Shown shown) { return Grid(matrix, shown).text(); }

std::string as_json(const std::vector<policy::Answered>& answers) {
  json::Array out;
  for (const policy::Answered& answer : answers) out.push_back(answer_json(answer));
  return json::dump_pretty(out);
}

std::string as_junit(std::string_view suite, const std::vector<JunitCase>& cases) {
  const auto failures =
      std::count_if(cases.begin(), cases.end(), [](const JunitCase& each) { return !each.failure.empty(); });
  std::string out = concat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"",
                           escaped(suite), "\" tests=\"", cases.size(), "\" failures=\"", failures, "\">\n");
  for (const JunitCase& each : cases) {
    out += concat("    <testcase classname=\"", escaped(each.group), "\" name=\"", escaped(each.name), "\"");
    out += each.failure.empty()
               ? "/>\n"
               : concat(">\n      <failure message=\"", escaped(each.failure), "\"/>\n    </testcase>\n");
  }
  return out + "  </testsuite>\n</testsuites>\n";
}

}  // namespace margay::verbs
