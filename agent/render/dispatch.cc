#include "agent/render/dispatch.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/core/text.h"

namespace margay::render {
namespace {

constexpr std::ptrdiff_t kListMax = 16;  // interfaces that are asked for one after the other
constexpr std::string_view kOurs = "margay-";

using Target = std::map<std::string, std::string>::const_iterator;

std::size_t common_length(std::string_view a, std::string_view b) {
  const auto end =
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin());
  return static_cast<std::size_t>(end.first - a.begin());
}

class Tree {
 public:
  explicit Tree(const Dispatch& dispatch) : dispatch_(dispatch) {}

  std::vector<iptables::Chain> build() {
    add_chain(dispatch_.root, dispatch_.targets.begin(), dispatch_.targets.end());
    return std::move(chains_);
  }

 private:
  [[nodiscard]] std::string is_interface(std::string_view name) const {
    return dispatch_.by_output ? to_interface(name) : from_interface(name);
  }

  void add_one(Rules& rules, Target target) const {
    const std::string chain = target->second.empty() ? std::string(kReturn) : go_to(target->second);
    rules.push_back({.spec = spec({is_interface(target->first), chain})});
  }

  void add_chain(std::string name, Target first, Target last) {
    const std::size_t place = chains_.size();
    chains_.push_back({.name = std::move(name), .rules = {}});
    Rules rules;
    if (std::distance(first, last) <= kListMax) {
      for (Target each = first; each != last; ++each) add_one(rules, each);
    } else {
      add_branches(rules, first, last);
    }
    rules.insert(rules.end(), dispatch_.end.begin(), dispatch_.end.end());
    chains_[place].rules = std::move(rules);
  }

  // By the first character in which they differ: names are sorted, so the first and the last show which one it is.
  void add_branches(Rules& rules, Target first, Target last) {
    const std::size_t length = common_length(first->first, std::prev(last)->first);
    while (first != last) {
      if (first->first.size() == length || !shares(first, std::next(first), last, length)) {
        add_one(rules, first++);
        continue;
      }
      const std::string prefix = first->first.substr(0, length + 1);
      const Target end = std::find_if(first, last, [&](const auto& each) { return !each.first.starts_with(prefix); });
      std::string chain = chain_name(std::string_view(dispatch_.root).substr(kOurs.size()), prefix);
      rules.push_back({.spec = spec({is_interface(prefix + '+'), go_to(chain)})});
      add_chain(std::move(chain), first, end);
      first = end;
    }
  }

  static bool shares(Target one, Target next, Target last, std::size_t length) {
    return next != last && next->first.substr(0, length + 1) == one->first.substr(0, length + 1);
  }

  const Dispatch& dispatch_;
  std::vector<iptables::Chain> chains_;
};

}  // namespace

std::vector<iptables::Chain> dispatch_chains(const Dispatch& dispatch) { return Tree(dispatch).build(); }

}  // namespace margay::render
