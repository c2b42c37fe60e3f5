#include "dataplane/iptables/chain_set.h"

#include <algorithm>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"

namespace margay::iptables {
namespace {

// Chains tried again at once: each that is refused again costs a call or more.
constexpr std::size_t kReleasedMax = 16;

ChainContent content_of(std::shared_ptr<const Chain> chain) {
  ChainContent content;
  content.marks.reserve(chain->rules.size());
  for (const Rule& rule : chain->rules) content.marks.push_back(mark_of(chain->name, rule));
  content.chain = std::move(chain);
  return content;
}

ChainContent stand_in(const std::string& name, Table table) {
  return content_of(std::make_shared<const Chain>(Chain{name, deny_rules(table)}));
}

bool is_all_ours(const ChainContent& content) {
  return std::all_of(content.marks.begin(), content.marks.end(), [](const Mark& mark) { return mark.is_ours(); });
}

void add_failure(dataplane::ApplyReport& report, const std::string& name, ErrorCode code, std::string why) {
  ++report.failed;
  if (report.failures.size() >= dataplane::kFailuresReportedMax) return;
  report.failures.push_back({concat("chain ", name), Error{code, std::move(why)}});
}

}  // namespace

std::vector<Rule> deny_rules(Table table) {
  if (table == Table::kNat) return {};
  return {Rule{"-j DROP", "Stands in for rules that could not be put here"}};
}

void ChainSet::count(const Chain& chain, int change) {
  rules_ = change > 0 ? rules_ + chain.rules.size() : rules_ - chain.rules.size();
  for (const Rule& rule : chain.rules) {
    const std::string_view target = target_of(rule.spec);
    if (target.starts_with(kChainPrefix)) add_reference(std::string(target), change);
  }
}

void ChainSet::add_reference(const std::string& name, int change) {
  const auto at = references_.try_emplace(name, 0).first;
  if (change > 0) {
    if (++at->second == 1 && !wanted_.contains(name)) settle(name);
    return;
  }
  MARGAY_CHECK(at->second > 0);
  if (--at->second > 0) return;
  references_.erase(at);
  if (!wanted_.contains(name)) settle(name);
}

void ChainSet::set(std::shared_ptr<const Chain> chain) {
  MARGAY_CHECK(chain->name.starts_with(kChainPrefix) && chain->name.size() <= kChainNameMax);
  const std::string& name = chain->name;
  auto& place = wanted_[name];
  const std::shared_ptr<const Chain> before = std::exchange(place, chain);
  // The new one first: what both refer to does not come and go.
  count(*chain, 1);
  if (before) count(*before, -1);
  refused_.erase(name);
  unremovable_.erase(name);
  for (const Rule& rule : chain->rules) {
    if (const auto flaw = flaw_of(name, rule)) {
      refused_[name] = Refusal{.why = concat(*flaw, ": ", quoted(rule.spec.substr(0, 200))), .is_final = true};
      break;
    }
  }
  settle(name);
}

void ChainSet::remove(const std::string& name) {
  const auto at = wanted_.find(name);
  if (at == wanted_.end()) return;
  const std::shared_ptr<const Chain> before = std::move(at->second);
  wanted_.erase(at);
  refused_.erase(name);
  count(*before, -1);
  settle(name);
}

// Brings the tracker's desired content, and missing_, up to date.
void ChainSet::settle(const std::string& name) {
  const auto wanted = wanted_.find(name);
  const bool is_wanted = wanted != wanted_.end();
  const bool is_missing = !is_wanted && references_.contains(name);
  if (is_missing) {
    missing_.insert(name);
  } else {
    missing_.erase(name);
  }
  if (!is_wanted && !is_missing) refused_.erase(name);
  const auto refusal = refused_.find(name);
  const bool denies = is_missing || (refusal != refused_.end() && !refusal->second.is_kept);
  if (denies) return chains_.set_desired(name, stand_in(name, table_));
  if (is_wanted) return chains_.set_desired(name, content_of(wanted->second));
  chains_.remove_desired(name);
}

void ChainSet::refuse(const std::string& name, const std::string& why, OnRefusal on_refusal) {
  if (!wanted_.contains(name) && !missing_.contains(name)) return;
  const ChainContent* actual = chains_.actual(name);
  const bool is_kept =
      on_refusal == OnRefusal::kKeep && actual != nullptr && !actual->marks.empty() && is_all_ours(*actual);
  const auto [at, is_new] = refused_.try_emplace(name, Refusal{.why = why, .is_kept = is_kept});
  if (!is_new) at->second.is_kept = true;  // the stand-in
  settle(name);
}

void ChainSet::release() {
  unremovable_.clear();
  std::vector<std::string> names;
  const auto take = [&](auto begin, auto end) {
    for (auto at = begin; at != end && names.size() < kReleasedMax; ++at) {
      if (!at->second.is_final) names.push_back(at->first);
    }
  };
  const auto next = refused_.upper_bound(released_last_);
  take(next, refused_.end());
  take(refused_.begin(), next);
  for (const std::string& name : names) {
    refused_.erase(name);
    settle(name);
    released_last_ = name;
  }
}

std::size_t ChainSet::note_saved(SavedTable& saved) {
  referred_by_others_ = std::move(saved.referred);
  unremovable_.clear();
  std::map<std::string, ChainContent> found;
  std::size_t others = 0;
  for (auto& [name, marks] : saved.chains) {
    const ChainContent* believed = chains_.actual(name);
    if (believed == nullptr || believed->marks != marks) ++others;
    found.emplace_hint(found.end(), name, ChainContent{std::move(marks), nullptr});
  }
  chains_.for_each([&](const std::string& name, const ChainContent*, const ChainContent* actual) {
    if (actual != nullptr && !found.contains(name)) ++others;
  });
  chains_.replace_all_actual(std::move(found));
  return std::exchange(is_known_, true) ? others : 0;
}

void ChainSet::note_written(const std::string& name) {
  const ChainContent* content = chains_.desired(name);
  if (content != nullptr) chains_.note_actual(name, *content);
}

std::vector<DueChain> ChainSet::due() {
  std::vector<DueChain> due;
  chains_.apply_updates([&](const std::string& name, const ChainContent& wanted, const ChainContent* actual) {
    const auto refusal = refused_.find(name);
    if (refusal == refused_.end() || !refusal->second.is_kept) due.push_back({&name, &wanted, actual});
    return Outcome::kFailed;
  });
  return due;
}

void ChainSet::visit(const std::string& name, std::set<std::string>& open, std::vector<std::string>& order) const {
  if (open.erase(name) == 0) return;
  const ChainContent* content = chains_.desired(name);
  if (content != nullptr && content->chain) {
    for (const Rule& rule : content->chain->rules) visit(std::string(target_of(rule.spec)), open, order);
  }
  order.push_back(name);
}

std::vector<std::string> ChainSet::due_in_order() {
  std::set<std::string> open;
  for (const DueChain& chain : due()) open.insert(*chain.name);
  std::vector<std::string> order;
  while (!open.empty()) visit(std::string(*open.begin()), open, order);
  return order;
}

std::vector<std::string> ChainSet::due_removals() {
  std::vector<std::string> names;
  chains_.apply_removes([&](const std::string& name, const ChainContent&) {
    if (!referred_by_others_.contains(name) && !unremovable_.contains(name)) names.push_back(name);
    return Outcome::kFailed;
  });
  return names;
}

bool ChainSet::has_refused() const {
  return !unremovable_.empty() ||
         std::any_of(refused_.begin(), refused_.end(), [](const auto& entry) { return !entry.second.is_final; });
}

void ChainSet::report(dataplane::ApplyReport& report) const {
  const std::string_view instead = table_ == Table::kNat ? "; it is empty instead" : "; it denies instead";
  for (const auto& [name, refusal] : refused_) {
    add_failure(report, name, ErrorCode::kInvalid,
                concat(refusal.why, refusal.is_kept ? "; it stays as it was" : instead));
  }
  for (const std::string& name : missing_) {
    add_failure(report, name, ErrorCode::kNotFound, concat("is not wanted, but rules refer to it", instead));
  }
  for (const auto& [name, why] : unremovable_) add_failure(report, name, ErrorCode::kConflict, why);
  for (const std::string& name : referred_by_others_) {
    if (chains_.actual(name) == nullptr || chains_.desired(name) != nullptr) continue;
    add_failure(report, name, ErrorCode::kConflict, "is not wanted, but rules of others refer to it");
  }
}

}  // namespace margay::iptables
