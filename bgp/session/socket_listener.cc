#include "bgp/session/socket_listener.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/core/text.h"
#include "bgp/session/socket_calls.h"

namespace margay::bgp::session {
namespace {

constexpr int kBacklog = 4096;
constexpr int kAcceptsPerTurn = 256;
constexpr Duration kPauseMin = std::chrono::milliseconds(100);
constexpr Duration kPauseMax = std::chrono::seconds(5);

loop::UniqueFd open_reserve() { return loop::UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

loop::UniqueFd accept_one(int listener) {
  return loop::UniqueFd(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

}  // namespace

Result<std::unique_ptr<SocketListener>> SocketListener::open(Parts parts, const SocketAddress& address,
                                                             const Keys& keys) {
  const std::string what = concat("listen on ", address.to_string());
  auto fd = open_tcp(address.address.family());
  if (!fd) return fd.error().within(what);
  MARGAY_RETURN_IF_ERROR(set_listener_options(fd->get(), address.address.family()));
  const RawAddress raw = to_raw(address);
  if (::bind(fd->get(), raw.data(), raw.size) != 0) return socket_error(errno, what);
  std::unique_ptr<SocketListener> listener(new SocketListener(std::move(parts), std::move(fd).value()));
  MARGAY_RETURN_IF_ERROR(listener->begin(address, keys));
  return listener;
}

Status SocketListener::begin(const SocketAddress& address, const Keys& keys) {
  set_keys(keys);
  reserve_ = open_reserve();
  if (::listen(fd_.get(), kBacklog) != 0) return socket_error(errno, concat("listen on ", address.to_string()));
  address_ = local_of(fd_.get());
  pause_length_ = kPauseMin;
  pause_ = parts_.loop.make_timer([this] { watch_->want_readable(); });
  MARGAY_ASSIGN_OR_RETURN(watch_, parts_.watcher.watch(
                                      fd_.get(), [this] { accept_some(); }, [] {}));
  watch_->want_readable();
  return ok_status();
}

void SocketListener::set_keys(const Keys& keys) {
  refused_.clear();
  std::erase_if(known_, [&](const auto& entry) {
    return !keys.contains(entry.first) && set_md5_key(fd_.get(), entry.first, {}).ok();
  });
  for (const auto& [prefix, key] : keys) {
    const auto known = known_.find(prefix);
    if (known != known_.end() && known->second == key.password) continue;
    const Status status = set_md5_key(fd_.get(), prefix, key.password);
    if (status.ok()) {
      known_[prefix] = key.password;
    } else {
      refused_.emplace(key.peers, status.error());
    }
  }
}

// Many that wait: a storm of peers after a restart is a few wake-ups.
void SocketListener::accept_some() {
  std::vector<loop::UniqueFd> accepted;
  int error_number = 0;
  for (int count = 0; count < kAcceptsPerTurn && error_number == 0; ++count) {
    loop::UniqueFd fd = accept_one(fd_.get());
    if (fd.is_open()) {
      accepted.push_back(std::move(fd));
    } else if (errno != ECONNABORTED && errno != EINTR) {
      error_number = errno;
    }
  }
  if (!accepted.empty()) pause_length_ = kPauseMin;
  if (error_number == 0 || error_number == EAGAIN) {
    watch_->want_readable();
  } else {
    out_of_descriptors(error_number);
  }
  const auto on_accepted = parts_.on_accepted;  // outlives this listener, if need be
  for (loop::UniqueFd& fd : accepted) on_accepted(std::move(fd));
}

// Or of memory: later again, rather than at once and for ever.
void SocketListener::out_of_descriptors(int error_number) {
  const int refused = error_number == EMFILE || error_number == ENFILE ? refuse_waiting() : 0;
  if (const auto suppressed = error_log_.admit(parts_.loop.now())) {
    parts_.log.error("connections cannot be accepted", {{"listener", address_.to_string()},
                                                        {"error", socket_error(error_number, "accept").message},
                                                        {"refused", refused},
                                                        {"suppressed", *suppressed}});
  }
  pause_->arm(pause_length_);
  pause_length_ = std::min(pause_length_ * 2, kPauseMax);
}

int SocketListener::refuse_waiting() {
  reserve_.reset();
  int count = 0;
  while (count < kAcceptsPerTurn && accept_one(fd_.get()).is_open()) ++count;
  reserve_ = open_reserve();
  return count;
}

}  // namespace margay::bgp::session
