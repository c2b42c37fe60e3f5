#include "bgp/session/md5_keys.h"

#include <set>

namespace margay::bgp::session {
namespace {

class Splitter {
 public:
  explicit Splitter(const std::map<IpPrefix, PeerSocketOptions>& peers) : peers_(peers) {
    for (const auto& [prefix, options] : peers) {
      if (options.password.empty()) open_.insert(prefix);
    }
  }

  std::map<IpPrefix, ListenerKey> run() {
    for (const auto& [prefix, options] : peers_) {
      if (options.password.empty()) continue;
      owner_ = {options.password, prefix};
      cover(prefix);
    }
    return std::move(keys_);
  }

 private:
  // What `prefix` contains, itself included, follows it in the order of prefixes.
  [[nodiscard]] bool has_open(const IpPrefix& prefix) const {
    const auto next = open_.lower_bound(prefix);
    return next != open_.end() && prefix.contains(*next);
  }

  void cover(const IpPrefix& prefix) {
    if (prefix != owner_.peers && peers_.contains(prefix)) return;  // has a word of its own
    if (!has_open(prefix)) {
      keys_.emplace(prefix, owner_);
      return;
    }
    const int length = prefix.length() + 1;
    cover(IpPrefix::containing(prefix.first(), length));
    cover(IpPrefix::containing(prefix.last(), length));
  }

  const std::map<IpPrefix, PeerSocketOptions>& peers_;
  std::set<IpPrefix> open_;  // without a password
  std::map<IpPrefix, ListenerKey> keys_;
  ListenerKey owner_;
};

}  // namespace

std::map<IpPrefix, ListenerKey> listener_keys(const std::map<IpPrefix, PeerSocketOptions>& peers) {
  return Splitter(peers).run();
}

}  // namespace margay::bgp::session
