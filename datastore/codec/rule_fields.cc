#include "datastore/codec/rule_fields.h"

#include "datastore/codec/archive.h"

namespace margay::codec {

// 4 or 6.
void read(const Input& input, std::optional<IpFamily>& value) {
  const std::optional<std::int64_t> found = input.view.integer();
  if (!found) return input.wrong_type("4 or 6");
  if (*found != 4 && *found != 6) {
    return input.error(FieldError::Kind::kNotSupported, concat(*found, " is not one of 4, 6"));
  }
  value = *found == 4 ? IpFamily::kV4 : IpFamily::kV6;
}
void write(Output to, const std::optional<IpFamily>& value) { to.value = json::Value(value == IpFamily::kV4 ? 4 : 6); }

template <class Archive, Is<model::IcmpMatch> S>
void fields(Archive& a, S& s) {
  a.field("type", s.type);
  a.field("code", s.code);
}

template <class Archive, Is<model::ServiceAccountMatch> S>
void fields(Archive& a, S& s) {
  a.field("names", s.names);
  a.field("selector", s.selector);
}

template <class Archive, Is<model::ServiceMatch> S>
void fields(Archive& a, S& s) {
  a.field("name", s.name);
  a.field("namespace", s.name_space);
}

template <class Archive, Is<model::EntityRule> S>
void fields(Archive& a, S& s) {
  a.field("nets", prefixes(s.nets, PrefixForm::kExactOrAddress));
  a.field("selector", s.selector);
  a.field("namespaceSelector", s.namespace_selector);
  a.field("services", s.services);
  a.field("ports", s.ports);
  a.field("notNets", prefixes(s.not_nets, PrefixForm::kExactOrAddress));
  a.field("notSelector", s.not_selector);
  a.field("notPorts", s.not_ports);
  a.field("serviceAccounts", s.service_accounts);
}

template <class Archive, Is<model::HttpPath> S>
void fields(Archive& a, S& s) {
  a.field("exact", s.exact);
  a.field("prefix", s.prefix);
}

template <class Archive, Is<model::HttpMatch> S>
void fields(Archive& a, S& s) {
  a.field("methods", s.methods);
  a.field("paths", s.paths);
}

template <class Archive, Is<model::RuleMetadata> S>
void fields(Archive& a, S& s) {
  a.field("annotations", s.annotations);
}

namespace {

template <class Archive, class S>
void rule_fields(Archive& a, S& s) {
  a.required("action", s.action);
  a.field("ipVersion", s.ip_version);
  a.field("protocol", s.protocol);
  a.field("icmp", s.icmp);
  a.field("notProtocol", s.not_protocol);
  a.field("notICMP", s.not_icmp);
  a.field("source", s.source);
  a.field("destination", s.destination);
  a.field("http", s.http);
  a.field("metadata", s.metadata);
}

}  // namespace

void fields(Reader& a, model::Rule& s) { rule_fields(a, s); }
void fields(Writer& a, const model::Rule& s) { rule_fields(a, s); }

}  // namespace margay::codec
