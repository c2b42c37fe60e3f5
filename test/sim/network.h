// Network: many speakers in one process, in virtual time, with faults drawn from a seed, and checks that hold whatever
// happened.
//
//   Network network(seed);
//   network.full_mesh(20);  or  network.reflected(198, 2);
//   network.disturb(40, …);       // faults: cuts, partitions, resets, kills, restarts, prefixes that come and go
//   network.heal_and_settle();
//   network.check();              // every node has exactly the routes that the others announce
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/core/random.h"
#include "base/loop/sim_loop.h"
#include "bgp/session/sim_transport.h"
#include "bgp/speaker/speaker_fixture.h"

namespace margay::sim {

class Network {
 public:
  explicit Network(std::uint64_t seed);

  // Before the topology. Nodes start one after another, so far apart; all at once unless told.
  void set_start_gap(Duration gap) { start_gap_ = gap; }
  // How many bytes arrive at once, 0: as they were written; 700 unless told.
  void set_pieces(std::size_t bytes_max);
  // Every node peers with every other; iBGP.
  void full_mesh(int nodes);
  // `clients` peer with each of `reflectors`; these peer with each other.
  void reflected(int clients, int reflectors);

  // So many faults, with some virtual time after each.
  void disturb(int faults);
  // Undoes all faults, then lets `time` pass.
  void heal_and_settle(Duration time);
  void run(Duration time) { loop_.advance(time); }

  // What is wrong, in words; empty: nothing.
  [[nodiscard]] std::vector<std::string> problems() const;
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] bgp::Node& node(std::size_t index) { return *nodes_[index]; }

 private:
  using Pair = std::pair<std::size_t, std::size_t>;

  void add_nodes(int count);
  void connect(std::size_t a, std::size_t b);
  void start_all();
  void fault();
  void cut_or_mend();
  void kill_or_start();
  void change_prefixes();
  void set_prefixes(std::size_t index);
  [[nodiscard]] Pair any_pair();

  SeededRandom random_;
  Duration start_gap_{};
  loop::SimLoop loop_;
  bgp::session::SimInternet internet_;
  std::vector<std::unique_ptr<bgp::Node>> nodes_;
  std::vector<std::set<int>> prefixes_;  // numbers of what each node announces
  std::set<Pair> cuts_;
};

}  // namespace margay::sim
