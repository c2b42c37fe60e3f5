// Which host endpoints a node gets by itself: one for all of its interfaces, and those of templates. Names, labels and
// profiles are Calico's. Pure.
//
//   <node>-auto-hep                      every interface ("*"), the node's addresses
//   <node>-<template>-auto-hep           interfaceCIDRs: those of the node's addresses
//   <node>-<template>-<interface>-auto-hep   interfacePattern: one for each interface that matches; with interfaceCIDRs
//                                        only those of its addresses, and none when it has none
//
// Which interfaces a node has is in its annotation projectcalico.org/Interfaces.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/ip/address.h"
#include "datastore/model/controllers_configuration.h"
#include "datastore/model/endpoints.h"
#include "datastore/model/kubernetes.h"

namespace margay::controllers {

inline constexpr std::string_view kCreatedBy = "projectcalico.org/created-by";
inline constexpr std::string_view kCreator = "calico-kube-controllers";

struct AutoHostEndpoints {
  std::map<std::string, model::HostEndpoint> endpoints;  // by name, without namespace
  std::vector<std::string> problems;                     // what of the templates cannot be honoured
};
AutoHostEndpoints auto_host_endpoints(const model::Node& node, const model::AutoHostEndpointConfig& config);

}  // namespace margay::controllers
