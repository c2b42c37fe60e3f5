// What tests of transports share: a recording end of a connection. Not part of any library.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bgp/session/transport.h"

namespace margay::bgp::session {

inline rib::Packet packet(std::string text) { return std::make_shared<const std::string>(std::move(text)); }
inline std::vector<rib::Packet> packets(std::string text) { return {packet(std::move(text))}; }

struct RecordedEnd {
  std::unique_ptr<Connection> connection;
  std::string received;
  std::optional<std::string> closed;
  int times_writable = 0;

  void take(std::unique_ptr<Connection> fresh) {
    connection = std::move(fresh);
    connection->start({[this](bytes::View bytes) { received.append(bytes::text_of(bytes)); },
                       [this] { ++times_writable; }, [this](std::string why) { closed = std::move(why); }});
  }
};

}  // namespace margay::bgp::session
