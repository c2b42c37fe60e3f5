// IPPool, IPReservation, IPAMConfiguration, BlockAffinity, IPAMBlock, IPAMHandle.
#include "datastore/codec/kind_codec.h"
#include "datastore/model/ip_pool.h"
#include "datastore/model/ipam.h"

namespace margay::codec {

template <class Archive, Is<model::IpPoolSpec> S>
void fields(Archive& a, S& s) {
  a.required("cidr", prefixes(s.cidr, PrefixForm::kExact));
  a.field("blockSize", s.block_size);
  a.field("ipipMode", s.ipip_mode);
  a.field("vxlanMode", s.vxlan_mode);
  a.field("natOutgoing", s.nat_outgoing);
  a.field("disabled", s.disabled);
  a.field("disableBGPExport", s.disable_bgp_export);
  a.field("nodeSelector", s.node_selector);
  a.field("namespaceSelector", s.namespace_selector);
  a.field("allowedUses", s.allowed_uses);
  a.field("assignmentMode", s.assignment_mode);
}

template <class Archive, Is<model::IpReservationSpec> S>
void fields(Archive& a, S& s) {
  a.field("reservedCIDRs", s.reserved_cidrs);
}

template <class Archive, Is<model::IpamConfigurationSpec> S>
void fields(Archive& a, S& s) {
  a.field("strictAffinity", s.strict_affinity);
  a.field("maxBlocksPerHost", s.max_blocks_per_host);
  a.field("autoAllocateBlocks", s.auto_allocate_blocks);
  a.field("kubeVirtVMAddressPersistence", s.kubevirt_vm_address_persistence);
  a.field("ipCooldownSeconds", s.ip_cooldown_seconds);
}

template <class Archive, Is<model::BlockAffinitySpec> S>
void fields(Archive& a, S& s) {
  a.required("state", s.state);
  a.required("node", s.node);
  a.field("type", s.type);
  a.required("cidr", prefixes(s.cidr, PrefixForm::kExact));
  a.field("deleted", s.deleted);
}

template <class Archive, Is<model::AllocationAttribute> S>
void fields(Archive& a, S& s) {
  a.field("handle_id", s.handle_id);
  a.field("secondary", s.active_owner);
  a.field("alternateOwnerAttrs", s.alternate_owner);
  a.field("releasedAt", s.released_at);
}

template <class Archive, Is<model::IpamBlockSpec> S>
void fields(Archive& a, S& s) {
  a.required("cidr", prefixes(s.cidr, PrefixForm::kExact));
  a.field("affinity", s.affinity);
  a.field("affinityClaimTime", s.affinity_claim_time);
  a.required("allocations", s.allocations);
  a.required("unallocated", s.unallocated);
  a.required("attributes", s.attributes);
  a.field("sequenceNumber", s.sequence_number);
  a.field("sequenceNumberForAllocation", s.sequence_number_for_allocation);
  a.field("strictAffinity", s.strict_affinity);
  a.field("deleted", s.deleted);
}

template <class Archive, Is<model::IpamHandleSpec> S>
void fields(Archive& a, S& s) {
  a.required("handleID", s.handle_id);
  a.required("block", s.block);
  a.field("deleted", s.deleted);
}

template <class Archive, class S>
requires(Is<S, model::IpPool> || Is<S, model::IpReservation> || Is<S, model::IpamConfiguration> ||
         Is<S, model::BlockAffinity> || Is<S, model::IpamBlock> ||
         Is<S, model::IpamHandle>) void fields(Archive& a, S& s) {
  object_fields(a, s);
}

template FieldErrors decode(json::View object, model::IpPool& out);
template void encode(const model::IpPool& object, json::Value& into);
template FieldErrors decode(json::View object, model::IpReservation& out);
template void encode(const model::IpReservation& object, json::Value& into);
template FieldErrors decode(json::View object, model::IpamConfiguration& out);
template void encode(const model::IpamConfiguration& object, json::Value& into);
template FieldErrors decode(json::View object, model::BlockAffinity& out);
template void encode(const model::BlockAffinity& object, json::Value& into);
template FieldErrors decode(json::View object, model::IpamBlock& out);
template void encode(const model::IpamBlock& object, json::Value& into);
template FieldErrors decode(json::View object, model::IpamHandle& out);
template void encode(const model::IpamHandle& object, json::Value& into);

}  // namespace margay::codec
