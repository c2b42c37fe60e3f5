#include "dataplane/iptables/hook_set.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"

namespace margay::iptables {
namespace {

std::vector<HookRule> written(const std::string& kernel_chain, const std::vector<Rule>& rules) {
  std::vector<HookRule> out;
  for (const Rule& rule : rules) {
    const Mark mark = mark_of(kernel_chain, rule);
    out.push_back({mark, full_spec(mark, rule)});
  }
  return out;
}

bool has_ours(const HookRules& rules) {
  return std::any_of(rules.begin(), rules.end(), [](const auto& rule) { return rule.has_value(); });
}

bool has_others(const HookRules& rules) {
  return std::any_of(rules.begin(), rules.end(), [](const auto& rule) { return !rule.has_value(); });
}

}  // namespace

void HookSet::set(const std::string& kernel_chain, const Hook& hook) {
  refused_.erase(kernel_chain);
  flawed_.erase(kernel_chain);
  if (hook.first.empty() && hook.last.empty()) {
    wanted_.erase(kernel_chain);
    return;
  }
  for (const auto* rules : {&hook.first, &hook.last}) {
    for (const Rule& rule : *rules) {
      if (const auto flaw = flaw_of(kernel_chain, rule)) {
        flawed_[kernel_chain] = concat(*flaw, ": ", quoted(rule.spec.substr(0, 200)));
      }
    }
  }
  wanted_[kernel_chain] = {written(kernel_chain, hook.first), written(kernel_chain, hook.last)};
}

std::vector<std::string> HookSet::targets(const std::string& kernel_chain) const {
  std::vector<std::string> out;
  const auto at = wanted_.find(kernel_chain);
  if (at == wanted_.end()) return out;
  for (const auto* rules : {&at->second.first, &at->second.last}) {
    for (const HookRule& rule : *rules) {
      const std::string_view target = target_of(rule.spec);
      if (target.starts_with(kChainPrefix)) out.emplace_back(target);
    }
  }
  return out;
}

bool HookSet::refers_to(const std::string& chain) const {
  return std::any_of(wanted_.begin(), wanted_.end(), [&](const auto& entry) {
    const auto names = targets(entry.first);
    return std::find(names.begin(), names.end(), chain) != names.end();
  });
}

std::size_t HookSet::note_saved(SavedTable& saved) {
  const std::size_t before = due(false).size();
  actual_ = std::move(saved.hooks);
  const std::size_t after = due(false).size();
  return std::exchange(is_known_, true) && after > before ? after - before : 0;
}

HookRules HookSet::arrange(const Wanted& wanted, const HookRules& actual) const {
  HookRules out;
  const bool others_first = mode_ == InsertMode::kAppend;
  if (others_first && has_others(actual)) out.push_back(std::nullopt);
  out.insert(out.end(), wanted.first.begin(), wanted.first.end());
  if (!others_first && has_others(actual)) out.push_back(std::nullopt);
  out.insert(out.end(), wanted.last.begin(), wanted.last.end());
  return out;
}

std::vector<DueHook> HookSet::due(bool may_remove) const {
  std::vector<DueHook> out;
  const HookRules nothing;
  const auto is_left_alone = [&](const std::string& name) { return refused_.contains(name) || flawed_.contains(name); };
  for (const auto& [name, wanted] : wanted_) {
    const auto at = actual_.find(name);
    const HookRules& actual = at == actual_.end() ? nothing : at->second;
    HookRules after = arrange(wanted, actual);
    if (after != actual && !is_left_alone(name))
      out.push_back({name, actual, std::move(after), wanted.first, wanted.last});
  }
  if (!may_remove) return out;
  for (const auto& [name, actual] : actual_) {
    if (wanted_.contains(name) || is_left_alone(name) || !has_ours(actual)) continue;
    out.push_back({name, actual, arrange({}, actual), {}, {}});
  }
  return out;
}

void HookSet::write(const DueHook& due, Transaction& out) const {
  out.begin({Owner::Kind::kHook, due.kernel_chain});
  for (const auto& rule : due.before) {
    if (rule) out.line("-D ", due.kernel_chain, " ", rule->spec);
  }
  if (mode_ == InsertMode::kInsert) {
    for (auto rule = due.first.rbegin(); rule != due.first.rend(); ++rule) {
      out.line("-I ", due.kernel_chain, " ", rule->spec);
    }
  } else {
    for (const HookRule& rule : due.first) out.line("-A ", due.kernel_chain, " ", rule.spec);
  }
  for (const HookRule& rule : due.last) out.line("-A ", due.kernel_chain, " ", rule.spec);
}

void HookSet::report(dataplane::ApplyReport& report) const {
  for (const auto* reasons : {&flawed_, &refused_}) {
    for (const auto& [name, why] : *reasons) {
      ++report.failed;
      if (report.failures.size() >= dataplane::kFailuresReportedMax) continue;
      report.failures.push_back({concat("rules in ", name), Error{ErrorCode::kInvalid, concat(why, "; as they were")}});
    }
  }
}

}  // namespace margay::iptables
