// The rules on IPPool, IPAMConfiguration and BlockAffinity.
#include <algorithm>

#include "base/core/text.h"
#include "datastore/codec/rules.h"
#include "datastore/codec/validate.h"
#include "datastore/model/ip_pool.h"
#include "datastore/model/ipam.h"

namespace margay::codec {
namespace {

using model::EncapMode;
using model::IpPoolSpec;
using model::IpPoolUse;

struct BlockSizes {
  int min;
  int max;
};
BlockSizes block_sizes(const IpPrefix& pool) { return pool.is_v4() ? BlockSizes{20, 32} : BlockSizes{116, 128}; }

IpPrefix link_local(IpFamily family) {
  return family == IpFamily::kV4 ? IpPrefix::containing(IpAddress::v4(0xa9fe0000), 16)
                                 : IpPrefix::containing(IpAddress::v6(0xfe80000000000000, 0), 10);
}

bool is_for(const IpPoolSpec& spec, IpPoolUse use) {
  return std::find(spec.allowed_uses.begin(), spec.allowed_uses.end(), use) != spec.allowed_uses.end();
}

void check_size(const At& at, const IpPoolSpec& spec) {
  const BlockSizes sizes = block_sizes(spec.cidr);
  const int size = spec.block_length();
  if (size < sizes.min || size > sizes.max) {
    at.member("blockSize")
        .invalid(concat("found ", size, ": blocks of ", to_string(spec.cidr.family()), " are from /", sizes.min,
                        " to /", sizes.max));
  } else if (!spec.disabled && spec.cidr.length() > size) {
    at.member("cidr").invalid(concat(spec.cidr.to_string(), " is smaller than one block, which has blockSize ", size));
  }
  const IpPrefix local = link_local(spec.cidr.family());
  if (spec.cidr.overlaps(local)) {
    at.member("cidr").invalid(
        concat(spec.cidr.to_string(), " overlaps with the link-local addresses ", local.to_string()));
  }
}

void check_encapsulation(const At& at, const IpPoolSpec& spec) {
  const bool has_ipip = spec.ipip_mode != EncapMode::kNever;
  const bool has_vxlan = spec.vxlan_mode != EncapMode::kNever;
  if (has_ipip && has_vxlan) at.member("vxlanMode").forbidden("ipipMode and vxlanMode cannot both be on");
  if (has_ipip && spec.cidr.is_v6())
    at.member("ipipMode").forbidden("IP-in-IP carries IPv4 only: set ipipMode to Never");
}

void check_load_balancer(const At& at, const IpPoolSpec& spec) {
  if (!is_for(spec, IpPoolUse::kLoadBalancer)) return;
  if (spec.allowed_uses.size() > 1)
    at.member("allowedUses").forbidden("LoadBalancer cannot be combined with other uses");
  constexpr std::string_view kPool = "a pool for LoadBalancer cannot have ";
  if (spec.ipip_mode != EncapMode::kNever) at.member("ipipMode").forbidden(concat(kPool, "ipipMode"));
  if (spec.vxlan_mode != EncapMode::kNever) at.member("vxlanMode").forbidden(concat(kPool, "vxlanMode"));
  if (spec.disable_bgp_export) at.member("disableBGPExport").forbidden(concat(kPool, "disableBGPExport"));
  if (!spec.node_selector.empty() && trim(spec.node_selector) != "all()") {
    at.member("nodeSelector").forbidden(concat(kPool, "a nodeSelector but all()"));
  }
}

}  // namespace

FieldErrors validate(const model::IpPool& object) {
  FieldErrors errors;
  const At root(errors);
  const At spec = root.member("spec");
  check_metadata(root.member("metadata"), object.metadata, NameForm::kSubdomain, false);
  check_size(spec, object.spec);
  check_encapsulation(spec, object.spec);
  check_load_balancer(spec, object.spec);
  check_selector(spec.member("nodeSelector"), object.spec.node_selector);
  check_selector(spec.member("namespaceSelector"), object.spec.namespace_selector);
  if (is_for(object.spec, IpPoolUse::kTunnel) && !object.spec.namespace_selector.empty()) {
    spec.member("namespaceSelector")
        .forbidden("a pool for Tunnel cannot have namespaceSelector: set allowedUses to [Workload]");
  }
  return errors;
}

FieldErrors validate(const model::IpamConfiguration& object) {
  FieldErrors errors;
  const At root(errors);
  const At spec = root.member("spec");
  check_metadata(root.member("metadata"), object.metadata, NameForm::kDefault, false);
  if (!object.spec.strict_affinity && !object.spec.auto_allocate_blocks.value_or(true)) {
    spec.member("autoAllocateBlocks").forbidden("strictAffinity and autoAllocateBlocks cannot both be false");
  }
  if (object.spec.max_blocks_per_host < 0) spec.member("maxBlocksPerHost").invalid("cannot be negative");
  if (object.spec.max_blocks_per_host > 0 && !object.spec.strict_affinity) {
    spec.member("maxBlocksPerHost").forbidden("maxBlocksPerHost needs strictAffinity: true");
  }
  return errors;
}

FieldErrors validate(const model::BlockAffinity& object) {
  FieldErrors errors;
  const At root(errors);
  check_metadata(root.member("metadata"), object.metadata, NameForm::kSubdomain, false);
  if (object.spec.deleted) root.member("spec").member("deleted").forbidden("is set by address management only");
  return errors;
}

}  // namespace margay::codec
