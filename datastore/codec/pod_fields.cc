// Pod: of a cluster's objects the most, so its list passes over what nobody reads.
#include "datastore/codec/kind_codec.h"
#include "datastore/model/pod.h"

namespace margay::codec {
namespace {

// The annotations that are kept; the others are neither read nor touched.
template <class T>
class KeptAnnotations {
 public:
  explicit KeptAnnotations(T& value) : value_(value) {}
  [[nodiscard]] T& value() const { return value_; }
  [[nodiscard]] bool empty() const { return false; }  // always to be merged

 private:
  T& value_;
};

}  // namespace

void read(const Input& input, const KeptAnnotations<StringMap>& kept) {
  if (input.view.type() != json::Type::kObject) return input.wrong_type("an object of strings");
  std::vector<StringMap::Entry> entries;
  for (const auto& [name, member] : input.view.members()) {
    if (!model::is_kept_annotation(name)) continue;
    const Place place{input.place, Place::Step::kKey, name, 0};
    if (const auto text = member.string()) {
      entries.emplace_back(name, *text);
    } else if (member.is_given()) {
      Input{member, &place, input.errors}.wrong_type("a string");
    }
  }
  if (!entries.empty()) kept.value() = StringMap::of(std::move(entries));
}

void write(Output to, const KeptAnnotations<const StringMap>& kept) {
  StringMap all = kept.value();
  if (const json::Object* present = to.value.as_object()) {
    for (const json::Member& member : *present) {
      if (model::is_kept_annotation(member.name)) continue;
      if (const std::string* text = member.value.as_string()) all.set(member.name, *text);
    }
  }
  write(to, all);
}

template <>
inline constexpr bool kIsObject<KeptAnnotations<const StringMap>> = true;

template <class Archive, Is<model::PodMeta> S>
void fields(Archive& a, S& s) {
  a.field("name", s.name);
  a.field("namespace", s.name_space);
  a.field("uid", s.uid);
  a.field("resourceVersion", s.resource_version);
  a.field("deletionTimestamp", s.deletion_timestamp);
  a.field("labels", s.labels);
  a.field("annotations", KeptAnnotations(s.annotations));
}

template <class Archive, Is<model::ContainerPort> S>
void fields(Archive& a, S& s) {
  a.field("name", s.name);
  a.field("hostPort", s.host_port);
  a.required("containerPort", s.container_port);
  a.field("protocol", s.protocol);
  a.field("hostIP", s.host_ip);
}

template <class Archive, Is<model::Container> S>
void fields(Archive& a, S& s) {
  a.field("ports", s.ports);
}

template <class Archive, Is<model::InitContainer> S>
void fields(Archive& a, S& s) {
  a.field("ports", s.ports);
  a.field("restartPolicy", s.restart_policy);
}

template <class Archive, Is<model::PodSpec> S>
void fields(Archive& a, S& s) {
  a.field("initContainers", s.init_containers);
  a.field("containers", s.containers);
  a.field("serviceAccountName", s.service_account_name);
  a.field("nodeName", s.node_name);
  a.field("hostNetwork", s.host_network);
}

template <class Archive, Is<model::PodIp> S>
void fields(Archive& a, S& s) {
  a.field("ip", s.ip);
}

template <class Archive, Is<model::PodStatus> S>
void fields(Archive& a, S& s) {
  a.field("phase", s.phase);
  a.field("podIP", s.pod_ip);
  a.field("podIPs", s.pod_ips);
}

template <class Archive, Is<model::Pod> S>
void fields(Archive& a, S& s) {
  a.field("metadata", s.metadata);
  a.field("spec", s.spec);
  a.field("status", s.status);
}

template FieldErrors decode(json::View object, model::Pod& out);
template FieldErrors decode_sharing(json::View object, model::Pod& out, TextPool& pool);
template void encode(const model::Pod& object, json::Value& into);

}  // namespace margay::codec
