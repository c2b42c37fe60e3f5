// BGPFilter.
#include "datastore/codec/kind_codec.h"
#include "datastore/model/bgp_filter.h"

namespace margay::codec {

template <class Archive, Is<model::PrefixLengthRange> S>
void fields(Archive& a, S& s) {
  a.field("min", s.min);
  a.field("max", s.max);
}

template <class Archive, Is<model::FilterCommunities> S>
void fields(Archive& a, S& s) {
  a.required("values", s.values);
}

template <class Archive, Is<model::AddCommunity> S>
void fields(Archive& a, S& s) {
  a.required("value", s.value);
}

template <class Archive, Is<model::PrependAsPath> S>
void fields(Archive& a, S& s) {
  a.required("prefix", s.prefix);
}

template <class Archive, Is<model::SetPriority> S>
void fields(Archive& a, S& s) {
  a.required("value", s.value);
}

template <class Archive, Is<model::FilterOperation> S>
void fields(Archive& a, S& s) {
  a.field("addCommunity", s.add_community);
  a.field("prependASPath", s.prepend_as_path);
  a.field("setPriority", s.set_priority);
}

template <class Archive, Is<model::BgpFilterRule> S>
void fields(Archive& a, S& s) {
  a.field("cidr", prefixes(s.cidr, PrefixForm::kExact));
  a.field("prefixLength", s.prefix_length);
  a.field("source", s.source);
  a.field("interface", s.interface);
  a.field("matchOperator", s.match_operator);
  a.field("peerType", s.peer_type);
  a.field("communities", s.communities);
  a.field("asPathPrefix", s.as_path_prefix);
  a.field("priority", s.priority);
  a.required("action", s.action);
  a.field("operations", s.operations);
}

template <class Archive, Is<model::BgpFilterSpec> S>
void fields(Archive& a, S& s) {
  a.field("exportV4", s.export_v4);
  a.field("importV4", s.import_v4);
  a.field("exportV6", s.export_v6);
  a.field("importV6", s.import_v6);
}

template <class Archive, Is<model::BgpFilter> S>
void fields(Archive& a, S& s) {
  object_fields(a, s);
}

template FieldErrors decode(json::View object, model::BgpFilter& out);
template void encode(const model::BgpFilter& object, json::Value& into);

}  // namespace margay::codec
