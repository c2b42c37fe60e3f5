// Capture: every IP packet that crosses a namespace, taken apart as far as tunnels go. By a packet socket on all of its
// interfaces; one that is forwarded is seen more than once.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "test/slice/traffic.h"
#include "test/support/net_space.h"

namespace margay::test {

struct SeenPacket {
  std::string from, to;       // of the outermost header
  std::uint8_t protocol = 0;  // of what follows it
  // Of the packet in a tunnel; "" without one.
  std::string inner_from, inner_to;
  std::optional<std::uint32_t> vni;  // VXLAN

  [[nodiscard]] bool is_plain(const std::string& a, const std::string& b) const { return from == a && to == b; }
  [[nodiscard]] bool is_vxlan(const std::string& a, const std::string& b) const {
    return vni == 4096U && inner_from == a && inner_to == b;
  }
  [[nodiscard]] bool is_ipip(const std::string& a, const std::string& b) const {
    return !vni && inner_from == a && inner_to == b;
  }
};
// nullopt: no IP, or cut off.
std::optional<SeenPacket> take_apart(const std::vector<std::uint8_t>& frame);

class Capture {
 public:
  explicit Capture(const NetSpace& where);
  ~Capture();
  // Since the last clear().
  [[nodiscard]] std::size_t count(const std::function<bool(const SeenPacket&)>& which) const;
  void clear();

 private:
  void receive();

  Socket socket_;
  std::atomic<bool> is_stopping_ = false;
  mutable std::mutex guard_;
  std::vector<SeenPacket> seen_;
  std::thread thread_;
};

}  // namespace margay::test
