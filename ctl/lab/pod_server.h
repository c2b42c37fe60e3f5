// PodServer: the server inside of every pod of a lab. It answers on the ports that pods declare and says who it is:
// over TCP as an HTTP/1.0 answer, which curl shows and netcat too; over UDP with one datagram for each it gets.
//
// One thread of its own for all pods; the sockets are made in the pods' namespaces. Any thread may call.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

namespace margay::lab {

struct ServedPort {
  std::uint16_t number = 0;
  bool is_udp = false;
  friend auto operator<=>(const ServedPort&, const ServedPort&) = default;
};

class PodServer {
 public:
  PodServer();
  ~PodServer();
  PodServer(const PodServer&) = delete;
  PodServer& operator=(const PodServer&) = delete;

  // On all addresses of the namespace, v4 and v6. What was served for the pod before is ended.
  Status serve(const std::string& pod, const std::string& space, const std::vector<ServedPort>& ports,
               const std::string& greeting);
  void end(const std::string& pod);

 private:
  struct Listener {
    int fd = -1;
    bool is_udp = false;
    std::string pod;
    std::string greeting;
  };
  // A connection that was answered and whose other side has not closed yet.
  struct Lingering {
    int fd = -1;
    int rounds_left = 0;
  };

  void run();
  void answer(const Listener& listener);
  void read_rest(Lingering& connection);
  void wake() const;

  std::mutex mutex_;  // of listeners_
  std::vector<Listener> listeners_;
  std::vector<Lingering> lingering_;  // of the thread
  std::atomic<bool> is_over_ = false;
  int wake_fd_ = -1;
  std::thread thread_;
};

// "nc 10.0.0.1 80 < /dev/null" and the like: what the built-in server of a pod says.
std::string greeting_of(const std::string& pod, const std::string& node);

}  // namespace margay::lab
