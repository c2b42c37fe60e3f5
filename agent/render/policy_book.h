// PolicyBook: the policies and profiles there are.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "policy/desired/policy.h"

namespace margay::render {

struct PolicyBook {
  std::map<policy::ObjectKey, std::shared_ptr<const policy::Policy>> policies;
  std::map<std::string, std::shared_ptr<const policy::Profile>> profiles;

  // Null: there is none.
  [[nodiscard]] const policy::Policy* policy(const policy::ObjectKey& key) const {
    const auto at = policies.find(key);
    return at == policies.end() ? nullptr : at->second.get();
  }
  [[nodiscard]] const policy::Profile* profile(const std::string& name) const {
    const auto at = profiles.find(name);
    return at == profiles.end() ? nullptr : at->second.get();
  }
};

}  // namespace margay::render
