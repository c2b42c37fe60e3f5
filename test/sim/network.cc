#include "test/sim/network.h"

#include <algorithm>
#include <map>

#include "base/core/text.h"

namespace margay::sim {

using namespace std::chrono_literals;

namespace {

constexpr int kPrefixesOfANode = 4;

IpPrefix prefix_of(std::size_t node, int number) {
  const auto third = static_cast<std::uint32_t>(node);
  return IpPrefix::containing(IpAddress::v4(0x0a800000U + (third << 8) + (static_cast<std::uint32_t>(number) << 6)),
                              26);
}

std::string address_of(std::size_t node) { return concat("10.0.", node / 250, ".", node % 250 + 1); }

}  // namespace

Network::Network(std::uint64_t seed) : random_(seed), internet_(loop_, seed) { set_pieces(700); }

void Network::set_pieces(std::size_t bytes_max) {
  internet_.set_conditions({.delay = 2ms, .piece_bytes_max = bytes_max});
}

void Network::add_nodes(int count) {
  for (int i = 0; i < count; ++i) {
    const std::size_t index = nodes_.size();
    nodes_.push_back(std::make_unique<bgp::Node>(loop_, internet_, address_of(index), Asn(64512)));
    prefixes_.push_back({0});
    set_prefixes(index);
  }
}

void Network::connect(std::size_t a, std::size_t b) {
  for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
    bgp::PeerSettings& peer = nodes_[from]->add_peer(*nodes_[to]);
    peer.hold_time = 30s;
    peer.restart_time = 60s;
  }
}

void Network::full_mesh(int nodes) {
  add_nodes(nodes);
  for (std::size_t a = 0; a < nodes_.size(); ++a) {
    for (std::size_t b = a + 1; b < nodes_.size(); ++b) connect(a, b);
  }
  start_all();
}

void Network::reflected(int clients, int reflectors) {
  add_nodes(reflectors + clients);
  const auto count = static_cast<std::size_t>(reflectors);
  for (std::size_t reflector = 0; reflector < count; ++reflector) {
    for (std::size_t other = reflector + 1; other < nodes_.size(); ++other) connect(reflector, other);
    const RouterId cluster(static_cast<std::uint32_t>(reflector + 1));
    for (auto& [key, peer] : nodes_[reflector]->config.peers) {
      peer.policy.cluster_id = cluster;
      const bool is_reflector =
          std::any_of(nodes_.begin(), nodes_.begin() + reflectors,
                      [&wanted = key.address](const auto& node) { return node->address() == wanted; });
      peer.policy.is_client = !is_reflector;
    }
  }
  start_all();
}

void Network::start_all() {
  for (const auto& node : nodes_) {
    node->start();
    if (start_gap_ > Duration::zero()) loop_.advance(start_gap_);
  }
}

void Network::set_prefixes(std::size_t index) {
  bgp::Node& node = *nodes_[index];
  node.config.local_routes.clear();
  for (const int number : prefixes_[index]) {
    bgp::rib::LocalRoute route;
    route.prefix = prefix_of(index, number);
    node.config.local_routes.push_back(route);
  }
  if (node.is_running()) node.apply();
}

Network::Pair Network::any_pair() {
  const std::size_t a = random_.below(nodes_.size());
  std::size_t b = random_.below(nodes_.size() - 1);
  if (b >= a) ++b;
  return {std::min(a, b), std::max(a, b)};
}

void Network::cut_or_mend() {
  const Pair pair = any_pair();
  const bool was_cut = cuts_.erase(pair) > 0;
  if (!was_cut) cuts_.insert(pair);
  internet_.set_reachable(nodes_[pair.first]->address(), nodes_[pair.second]->address(), was_cut);
}

void Network::kill_or_start() {
  bgp::Node& node = *nodes_[random_.below(nodes_.size())];
  if (node.is_running()) return node.kill();
  const bool is_restart = random_.below(2) == 0;
  if (!is_restart) node.sink.routes.clear();  // as after a boot: its kernel is empty
  node.start(is_restart);
}

void Network::change_prefixes() {
  const std::size_t index = random_.below(nodes_.size());
  const int number = static_cast<int>(random_.below(kPrefixesOfANode));
  if (prefixes_[index].erase(number) == 0) prefixes_[index].insert(number);
  set_prefixes(index);
}

void Network::fault() {
  switch (random_.below(6)) {
    case 0: return cut_or_mend();
    case 1: return kill_or_start();
    case 2: {
      const Pair pair = any_pair();
      return internet_.break_connections(nodes_[pair.first]->address(), nodes_[pair.second]->address());
    }
    case 3: {  // one node against all others
      const std::size_t alone = random_.below(nodes_.size());
      for (std::size_t other = 0; other < nodes_.size(); ++other) {
        if (other == alone) continue;
        cuts_.insert({std::min(alone, other), std::max(alone, other)});
        internet_.set_reachable(nodes_[alone]->address(), nodes_[other]->address(), false);
      }
      return;
    }
    default: return change_prefixes();
  }
}

void Network::disturb(int faults) {
  for (int i = 0; i < faults; ++i) {
    fault();
    loop_.advance(std::chrono::milliseconds(random_.below(20'000)));
  }
}

void Network::heal_and_settle(Duration time) {
  for (const Pair& pair : cuts_) {
    internet_.set_reachable(nodes_[pair.first]->address(), nodes_[pair.second]->address(), true);
  }
  cuts_.clear();
  for (const auto& node : nodes_) {
    if (!node->is_running()) node->start(true);
  }
  loop_.advance(time);
}

std::vector<std::string> Network::problems() const {
  std::map<IpPrefix, IpAddress> announced;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    for (const int number : prefixes_[i]) announced.emplace(prefix_of(i, number), nodes_[i]->address());
  }
  std::vector<std::string> out;
  for (const auto& node : nodes_) {
    const std::string name = node->address().to_string();
    for (const auto& [prefix, origin] : announced) {
      if (origin == node->address()) continue;
      const auto route = node->sink.routes.find(prefix);
      if (route == node->sink.routes.end()) {
        out.push_back(concat(name, " lacks ", prefix.to_string()));
      } else if (route->second.next_hops.empty() || route->second.next_hops[0].address != origin) {
        out.push_back(concat(name, " sends ", prefix.to_string(), " to the wrong node"));
      }
    }
    for (const auto& [prefix, route] : node->sink.routes) {
      if (!announced.contains(prefix)) out.push_back(concat(name, " keeps the stale ", prefix.to_string()));
    }
  }
  return out;
}

}  // namespace margay::sim
