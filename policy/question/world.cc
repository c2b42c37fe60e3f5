#include "policy/question/world.h"

#include <type_traits>
#include <vector>

#include "datastore/codec/any_kind.h"
#include "datastore/codec/codec.h"
#include "datastore/codec/readable.h"

namespace margay::policy {
namespace {

constexpr std::string_view kMetadataName = "kubernetes.io/metadata.name";
constexpr std::string_view kSomeNode = "unknown-node";

template <class T>
void complete(T& /*object*/) {}

void complete(model::Namespace& name_space) {
  if (!name_space.metadata.labels.contains(kMetadataName)) {
    name_space.metadata.labels.set(kMetadataName, name_space.metadata.name);
  }
}

void complete(model::Pod& pod) {
  const bool has_address = pod.status.pod_ip || !pod.status.pod_ips.empty();
  if (pod.spec.node_name.empty() && has_address) pod.spec.node_name = kSomeNode;
}

template <class T>
constexpr bool kIsKept = PolicyTables::kHas<T>;

}  // namespace

std::span<const model::Kind> World::kinds() {
  static const std::vector<model::Kind> kKinds = [] {
    std::vector<model::Kind> out;
    for (const model::KindInfo& each : model::all_kinds()) {
      codec::visit_kind(each.kind, [&](const auto& object) {
        if constexpr (kIsKept<std::remove_cvref_t<decltype(object)>>) out.push_back(each.kind);
      });
    }
    return out;
  }();
  return kKinds;
}

FieldErrors World::add(model::Kind kind, const json::Value& object) {
  return codec::visit_kind(kind, [&](auto decoded) -> FieldErrors {
    if constexpr (kIsKept<decltype(decoded)>) {
      json::Document parser;
      const auto view = parser.parse(json::dump(object));
      if (!view.ok()) return {{FieldError::Kind::kInvalid, "", view.error().message}};
      if constexpr (requires { decoded.spec.unread; }) {
        codec::decode_readable(*view, decoded);
      } else {
        FieldErrors errors = codec::decode(*view, decoded);
        if (!errors.empty()) return errors;
      }
      complete(decoded);
      put(std::move(decoded));
    }
    return {};
  });
}

}  // namespace margay::policy
