#include "agent/bgp/peer_object.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"

namespace margay::agent {
namespace {

std::optional<selector::Selector> parsed(const std::string& text, const char* path, FieldErrors& errors) {
  auto selector = selector::Selector::parse(text);
  if (selector.ok()) return std::move(selector).value();
  errors.push_back({FieldError::Kind::kInvalid, path, selector.error().message});
  return std::nullopt;
}

}  // namespace

void add_problem(Problems& problems, const model::ObjectKey& object, FieldError error) {
  FieldErrors& errors = problems[object];
  if (std::find(errors.begin(), errors.end(), error) == errors.end()) errors.push_back(std::move(error));
}

bool PeerObject::is_for(const std::string& node, const StringMap& labels) const {
  if (!errors.empty()) return false;
  if (!spec.node.empty()) return spec.node == node;
  return !node_selector || node_selector->matches(labels);
}

model::ObjectKey PeerObject::key() const { return {model::Kind::kBgpPeer, "", name}; }

PeerObject peer_object_of(const std::string& name, const model::BgpPeer& object) {
  PeerObject out;
  out.name = name;
  out.spec = object.spec;
  const model::BgpPeerSpec& spec = object.spec;
  if (!spec.node_selector.empty()) out.node_selector = parsed(spec.node_selector, "spec.nodeSelector", out.errors);
  if (!spec.peer_selector.empty()) out.peer_selector = parsed(spec.peer_selector, "spec.peerSelector", out.errors);
  if (!spec.local_workload_selector.empty()) {
    out.workload_selector = parsed(spec.local_workload_selector, "spec.localWorkloadSelector", out.errors);
  }
  const int ends =
      (spec.peer_ip ? 1 : 0) + (spec.peer_selector.empty() ? 0 : 1) + (spec.local_workload_selector.empty() ? 0 : 1);
  if (ends != 1) {
    out.errors.push_back(
        {FieldError::Kind::kRequired, "spec",
         concat("has ", ends, " of peerIP, peerSelector and localWorkloadSelector, exactly one is ", "needed")});
  }
  return out;
}

}  // namespace margay::agent
