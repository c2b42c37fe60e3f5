// The kubeconfig that --write-kubeconfig writes: one cluster, one user, one context, all named margay.
//
// For a unix socket the server is unix:///PATH, which netctl and Margay's agents understand and kubectl does not.
#pragma once

#include <string>

#include "base/loop/stream.h"

namespace margay::apiserver {

struct KubeconfigInput {
  loop::Endpoint endpoint;      // as listened on; an unspecified address becomes the loopback one
  std::string certificate_pem;  // the server's own, which then is what clients trust; empty: plain HTTP
  std::string token;            // empty: none
};
std::string kubeconfig_text(const KubeconfigInput& input);

// Addresses of the machine itself, and unix sockets.
bool is_local_only(const loop::Endpoint& endpoint);

}  // namespace margay::apiserver
