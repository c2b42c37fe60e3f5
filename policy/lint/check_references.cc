// References of projectcalico.org/v3 policies to objects that are not there.
#include <algorithm>
#include <set>

#include "base/core/text.h"
#include "policy/lint/checks.h"

namespace margay::policy {
namespace {

class References {
 public:
  References(const LintInput& input, Findings& out) : out_(out) {
    const World& world = input.scene.world();
    tiers_ = {std::string(model::kDefaultTier), std::string(model::kKubeAdminTier),
              std::string(model::kKubeBaselineTier)};
    for (const auto& [key, tier] : world.all<model::Tier>()) tiers_.insert(key.name);
    for (const auto& [key, account] : world.all<model::ServiceAccount>()) {
      accounts_.insert(concat(key.name_space, '/', key.name));
    }
    for (const auto& [key, pod] : world.all<model::Pod>()) {
      if (pod->spec.service_account_name.empty()) continue;
      accounts_.insert(concat(key.name_space, '/', pod->spec.service_account_name.view()));
    }
    for (const auto& [key, service] : world.all<model::Service>()) {
      services_.insert(concat(key.name_space, '/', key.name));
    }
    for (const auto& [key, slice] : world.all<model::EndpointSlice>()) {
      services_.insert(concat(key.name_space, '/', slice->metadata.labels.get(model::kServiceNameLabel)));
    }
  }

  void check(const ObjectKey& key, const model::PolicySpec& spec) {
    if (!spec.tier.empty() && !tiers_.contains(spec.tier)) {
      add(key, "spec.tier", "no-such-tier", concat("tier ", spec.tier, " does not exist: the policy does not count"),
          concat("create it, or name one that exists: ", join({tiers_.begin(), tiers_.end()}, ", ")));
    }
    for (std::size_t i = 0; i < spec.ingress.size(); ++i) check(key, spec.ingress[i], concat("spec.ingress[", i, "]"));
    for (std::size_t i = 0; i < spec.egress.size(); ++i) check(key, spec.egress[i], concat("spec.egress[", i, "]"));
  }

 private:
  void check(const ObjectKey& key, const model::Rule& rule, const std::string& field) {
    check(key, rule.source, field + ".source");
    check(key, rule.destination, field + ".destination");
  }

  void check(const ObjectKey& key, const model::EntityRule& entity, const std::string& field) {
    if (entity.service_accounts) check_accounts(key, entity, field + ".serviceAccounts.names");
    if (entity.services) check_service(key, *entity.services, field + ".services");
  }

  // Where a name may be of several namespaces, one that has it is enough.
  void check_accounts(const ObjectKey& key, const model::EntityRule& entity, const std::string& field) {
    if (accounts_.empty()) return;
    const bool is_own = !key.name_space.empty() && entity.namespace_selector.empty();
    const std::vector<std::string>& names = entity.service_accounts->names;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const bool is_there = is_own ? accounts_.contains(concat(key.name_space, '/', names[i]))
                                   : std::any_of(accounts_.begin(), accounts_.end(), [&](const std::string& each) {
                                       return each.ends_with(concat("/", names[i]));
                                     });
      if (is_there) continue;
      add(key, concat(field, '[', i, ']'), "no-such-service-account",
          concat("there is no service account ", names[i], is_own ? concat(" in namespace ", key.name_space) : ""),
          "name one that exists; those of other namespaces need a namespaceSelector");
    }
  }

  void check_service(const ObjectKey& key, const model::ServiceMatch& service, const std::string& field) {
    if (services_.empty()) return;
    const std::string& name_space = service.name_space.empty() ? key.name_space : service.name_space;
    if (services_.contains(concat(name_space, '/', service.name))) return;
    add(key, field + ".name", "no-such-service", concat("there is no Service ", name_space, '/', service.name),
        "name one that exists, with its namespace where it is another");
  }

  void add(const ObjectKey& key, std::string field, std::string rule, std::string what, std::string to_do) {
    out_.push_back({.object = key,
                    .field = std::move(field),
                    .severity = Severity::kError,
                    .rule = std::move(rule),
                    .what = std::move(what),
                    .to_do = std::move(to_do)});
  }

  Findings& out_;
  std::set<std::string> tiers_;
  std::set<std::string> accounts_;
  std::set<std::string> services_;
};

}  // namespace

void check_references(const LintInput& input, Findings& out) {
  References references(input, out);
  const World& world = input.scene.world();
  for (const auto& [key, policy] : world.all<model::NetworkPolicy>()) references.check(key, policy->spec);
  for (const auto& [key, policy] : world.all<model::GlobalNetworkPolicy>()) references.check(key, policy->spec);
  for (const auto& [key, policy] : world.all<model::StagedNetworkPolicy>()) {
    references.check(key, policy->spec.policy);
  }
  for (const auto& [key, policy] : world.all<model::StagedGlobalNetworkPolicy>()) {
    references.check(key, policy->spec.policy);
  }
}

}  // namespace margay::policy
