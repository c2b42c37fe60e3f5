// FilterChains: filter chains by the names of their filters, the cluster's own rules of export last. Made once for all
// peers that name the same. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bgp/filter/filter.h"
#include "bgp/wire/family.h"
#include "datastore/model/bgp_filter.h"

namespace margay::agent {

class FilterChains {
 public:
  struct Chains {
    bgp::PerFamily<bgp::FilterChain> import_chain, export_chain;
    std::vector<std::size_t> missing;  // places of names that no filter has
  };
  void set_filter(const std::string& name, std::shared_ptr<const model::BgpFilter> filter);
  void set_export_rules(bgp::PerFamily<bgp::Filter> rules);
  const Chains& of(const std::vector<std::string>& names);
  [[nodiscard]] const std::map<std::string, std::shared_ptr<const model::BgpFilter>>& filters() const {
    return filters_;
  }

 private:
  std::map<std::string, std::shared_ptr<const model::BgpFilter>> filters_;
  bgp::PerFamily<bgp::Filter> export_rules_;
  std::map<std::vector<std::string>, Chains> made_;
};

}  // namespace margay::agent
