#include "agent/bgp/filter_chains.h"

#include <utility>

#include "bgp/objects/object_values.h"

namespace margay::agent {

void FilterChains::set_filter(const std::string& name, std::shared_ptr<const model::BgpFilter> filter) {
  made_.clear();
  if (filter == nullptr) {
    filters_.erase(name);
  } else {
    filters_[name] = std::move(filter);
  }
}

void FilterChains::set_export_rules(bgp::PerFamily<bgp::Filter> rules) {
  made_.clear();
  export_rules_ = std::move(rules);
}

const FilterChains::Chains& FilterChains::of(const std::vector<std::string>& names) {
  const auto [place, is_new] = made_.try_emplace(names);
  if (!is_new) return place->second;
  Chains& out = place->second;
  bgp::FilterLists lists;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto filter = filters_.find(names[i]);
    if (filter == filters_.end()) {
      out.missing.push_back(i);
    } else {
      bgp::add_filter(names[i], filter->second->spec, lists);
    }
  }
  for (const bgp::Family family : bgp::kFamilies) {
    lists.exports[family].push_back(export_rules_[family]);
    out.import_chain[family] = bgp::chain_of(std::move(lists.imports[family]));
    out.export_chain[family] = bgp::chain_of(std::move(lists.exports[family]));
  }
  return out;
}

}  // namespace margay::agent
