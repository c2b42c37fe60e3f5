// Node, Namespace, ServiceAccount, Secret, Lease, Event.
#include "base/core/base64.h"
#include "datastore/codec/kind_codec.h"
#include "datastore/model/kubernetes.h"

namespace margay::codec {
namespace {

// Bytes that objects carry as base64.
template <class T>
class Base64Map {
 public:
  explicit Base64Map(T& value) : value_(value) {}
  [[nodiscard]] T& value() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }

 private:
  T& value_;
};

}  // namespace

template <class T>
void read(const Input& input, const Base64Map<T>& map) {
  T encoded;
  read(input, encoded);
  for (auto& [name, text] : encoded) {
    Result<std::string> bytes = base64_decode(text);
    if (bytes.ok()) {
      map.value()[name] = std::move(bytes).value();
      continue;
    }
    const Place place{input.place, Place::Step::kKey, name, 0};
    Input{{}, &place, input.errors}.error(FieldError::Kind::kInvalid, "is not base64");
  }
}

template <class T>
void write(Output to, const Base64Map<T>& map) {
  std::remove_const_t<T> encoded;
  for (const auto& [name, bytes] : map.value()) encoded[name] = base64_encode(bytes);
  write(to, encoded);
}

template <class Archive, Is<model::NodeSpec> S>
void fields(Archive& a, S& s) {
  a.field("podCIDRs", prefixes(s.pod_cidrs, PrefixForm::kAny));
  a.field("providerID", s.provider_id);
  a.field("unschedulable", s.unschedulable);
}

template <class Archive, Is<model::NodeAddress> S>
void fields(Archive& a, S& s) {
  a.required("type", s.type);
  a.required("address", s.address);
}

template <class Archive, Is<model::NodeCondition> S>
void fields(Archive& a, S& s) {
  a.required("type", s.type);
  a.required("status", s.status);
  a.field("lastHeartbeatTime", s.last_heartbeat_time);
  a.field("lastTransitionTime", s.last_transition_time);
  a.field("reason", s.reason);
  a.field("message", s.message);
}

template <class Archive, Is<model::NodeStatus> S>
void fields(Archive& a, S& s) {
  a.field("conditions", s.conditions);
  a.field("addresses", s.addresses);
}

template <class Archive, Is<model::Secret> S>
void fields(Archive& a, S& s) {
  a.field("metadata", s.metadata);
  a.field("type", s.type);
  a.field("data", Base64Map(s.data));
}

template <class Archive, Is<model::LeaseSpec> S>
void fields(Archive& a, S& s) {
  a.field("holderIdentity", s.holder_identity);
  a.field("leaseDurationSeconds", s.lease_duration_seconds);
  a.field("acquireTime", s.acquire_time);
  a.field("renewTime", s.renew_time);
  a.field("leaseTransitions", s.lease_transitions);
}

template <class Archive, Is<model::ObjectReference> S>
void fields(Archive& a, S& s) {
  a.field("kind", s.kind);
  a.field("namespace", s.name_space);
  a.field("name", s.name);
  a.field("uid", s.uid);
  a.field("apiVersion", s.api_version);
  a.field("resourceVersion", s.resource_version);
  a.field("fieldPath", s.field_path);
}

template <class Archive, Is<model::EventSource> S>
void fields(Archive& a, S& s) {
  a.field("component", s.component);
  a.field("host", s.host);
}

template <class Archive, Is<model::Event> S>
void fields(Archive& a, S& s) {
  a.field("metadata", s.metadata);
  a.required("involvedObject", s.involved_object);
  a.field("reason", s.reason);
  a.field("message", s.message);
  a.field("source", s.source);
  a.field("firstTimestamp", s.first_timestamp);
  a.field("lastTimestamp", s.last_timestamp);
  a.field("count", s.count);
  a.field("type", s.type);
  a.field("eventTime", s.event_time);
  a.field("action", s.action);
  a.field("reportingComponent", s.reporting_component);
  a.field("reportingInstance", s.reporting_instance);
}

template <class Archive, class S>
requires(Is<S, model::Node> || Is<S, model::Namespace> || Is<S, model::ServiceAccount> ||
         Is<S, model::Lease>) void fields(Archive& a, S& s) {
  object_fields(a, s);
}

template FieldErrors decode(json::View object, model::Node& out);
template void encode(const model::Node& object, json::Value& into);
template FieldErrors decode(json::View object, model::Namespace& out);
template void encode(const model::Namespace& object, json::Value& into);
template FieldErrors decode(json::View object, model::ServiceAccount& out);
template void encode(const model::ServiceAccount& object, json::Value& into);
template FieldErrors decode(json::View object, model::Secret& out);
template void encode(const model::Secret& object, json::Value& into);
template FieldErrors decode(json::View object, model::Lease& out);
template void encode(const model::Lease& object, json::Value& into);
template FieldErrors decode(json::View object, model::Event& out);
template void encode(const model::Event& object, json::Value& into);

}  // namespace margay::codec
