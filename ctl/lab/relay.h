// Relay: the nodes' way to an API server that is reached by TCP. Nodes have no cable to this machine, so each gets a
// listener on 127.0.0.1 in its namespace, with the server's own port; what comes there goes on from our namespace. TLS
// passes untouched.
//
// Two threads a connection: a lab has few.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/core/result.h"

namespace margay::lab {

class Relay {
 public:
  Relay(std::string host, std::uint16_t port);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // Also in these namespaces from now on; the first error, after all have been tried.
  Status listen_in(const std::vector<std::string>& spaces);
  // Takes what comes within a second or so, and returns.
  void run_for_a_while();

 private:
  std::string host_;
  std::uint16_t port_;
  std::set<std::string> spaces_;
  std::vector<int> listeners_;
};

}  // namespace margay::lab
