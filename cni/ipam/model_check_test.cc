// Several nodes over one store, every order of calls and answers that a seed gives: calls wait and are done in any
// order, answers are lost before or after the call was done, nodes crash with calls under way that are done later all
// the same, listings are old. Held against what clients were told.
#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "cni/ipam/fake_store.h"
#include "cni/ipam/names.h"
#include "gtest/gtest.h"

namespace margay::ipam {
namespace {

constexpr int kBlocksMax = 3;

struct Chances {
  std::uint64_t lost_percent = 5;
  std::uint64_t crash_permille = 5;
  bool strict = false;
  bool is_tight = false;  // fewer addresses than wanted
};

struct Client {
  std::string handle;
  std::vector<IpAddress> addresses;
};

class World {
 public:
  World(std::uint64_t seed, Chances chances)
      : random_(seed), chances_(chances), has_crashes_(chances.crash_permille > 0), nodes_(3) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) restart(i);
  }

  void step() {
    now_.steady += std::chrono::milliseconds(1 + random_.below(30));
    now_.wall += random_.below(20) == 0 ? std::chrono::seconds(30) : std::chrono::milliseconds(1);
    const std::size_t node = random_.below(nodes_.size());
    if (random_.below(1000) < chances_.crash_permille) return crash(node);
    switch (random_.below(8)) {
      case 0: return begin_assign(node);
      case 1: return begin_release(node);
      case 2: return collect(node, nodes_[node].allocator->on_tick(now_));
      case 3: return maybe_cancel(node);
      default: return do_call(/*may_lose=*/true);
    }
  }

  // No more faults: everything that was begun comes to its end.
  void settle() {
    chances_.crash_permille = 0;
    for (int i = 0; i < 100'000 && !is_quiet(); ++i) {
      now_.steady += std::chrono::milliseconds(100);
      do_call(/*may_lose=*/false);
      for (std::size_t node = 0; node < nodes_.size(); ++node) collect(node, nodes_[node].allocator->on_tick(now_));
    }
    ASSERT_TRUE(is_quiet());
  }

  void release_everything() {
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      std::vector<std::string> handles;
      for (const auto& [handle, client] : nodes_[node].held) handles.push_back(handle);
      // What a crash left: the kubelet deletes the sandbox it was making.
      handles.insert(handles.end(), nodes_[node].orphans.begin(), nodes_[node].orphans.end());
      for (const std::string& handle : handles) release(node, handle);
    }
  }

  // Of the store against what was told.
  void check() {
    std::map<IpAddress, std::string> told;
    for (const Node& node : nodes_) {
      for (const auto& [handle, client] : node.held) {
        for (const IpAddress& address : client.addresses) {
          ASSERT_TRUE(told.emplace(address, handle).second) << address.to_string() << " has two owners";
        }
      }
    }
    std::map<std::string, int> owned;
    for (const model::IpamBlockSpec& block : store_.blocks()) {
      ASSERT_TRUE(check_block(block).ok()) << check_block(block).error().message;
      if (block.affinity) ++owned[concat(block.affinity->name, ' ', to_string(block.cidr.family()))];
      for (std::size_t i = 0; i < block.allocations.size(); ++i) {
        const auto ordinal = static_cast<Ordinal>(i);
        const auto found = told.find(address_at(block, ordinal));
        if (found == told.end()) continue;
        const std::string* holder = holder_of(block, ordinal);
        ASSERT_TRUE(holder != nullptr && *holder == found->second)
            << found->first.to_string() << " was told to " << found->second;
        told.erase(found);
      }
    }
    ASSERT_TRUE(told.empty()) << told.begin()->first.to_string() << " is in no block";
    for (const auto& [node, count] : owned) ASSERT_LE(count, kBlocksMax) << node;
  }

  void check_empty() {
    for (const model::IpamBlockSpec& block : store_.blocks()) {
      EXPECT_TRUE(is_empty(block)) << addresses_in_use(block).size() << " addresses of " << block.cidr.to_string()
                                   << " are lost";
    }
    // A crash between a release and the removal of its handle leaves one that has nothing: clean-up's business.
    EXPECT_TRUE(has_crashes_ || store_.handles().empty());
    for (const model::BlockAffinitySpec& affinity : store_.affinities()) {
      const auto blocks = store_.blocks();
      const bool has_block = std::any_of(blocks.begin(), blocks.end(), [&](const auto& block) {
        return block.cidr == affinity.cidr && block.affinity && block.affinity->name == affinity.node;
      });
      EXPECT_TRUE(has_block) << affinity.node << " " << affinity.cidr.to_string();
      EXPECT_EQ(affinity.state, model::BlockAffinityState::kConfirmed);
    }
  }

  // Every node from nothing: what is half done is finished by its listing.
  void restart_all() {
    for (std::size_t node = 0; node < nodes_.size(); ++node) crash(node);
  }

  int assigned() const { return assigned_; }

 private:
  struct Node {
    std::unique_ptr<Allocator> allocator;
    std::map<std::string, Client> held;  // told to have been given
    std::map<RequestId, std::string> assigning;
    std::map<RequestId, std::string> releasing;
    std::set<std::string> orphans;  // begun, and their end was never told
    int life = 0;
    bool wants_listing = false;
  };
  struct Waiting {
    std::size_t node;
    int life;
    Issue issue;
  };

  std::string name_of(std::size_t node) const { return concat("node-", node); }

  void restart(std::size_t node) {
    AllocatorConfig config{.rules = {.owner = {model::AffinityType::kHost, name_of(node)}}};
    config.rules.strict_affinity = chances_.strict;
    config.blocks_max = kBlocksMax;
    config.spare_min = 2;
    config.empty_kept = std::chrono::milliseconds(200);
    ++nodes_[node].life;
    nodes_[node].allocator = std::make_unique<Allocator>(config);
    collect(node, nodes_[node].allocator->start(now_));
  }

  // Its calls under way may still be done, or not.
  void crash(std::size_t node) {
    for (const auto& [id, handle] : nodes_[node].assigning) nodes_[node].orphans.insert(handle);
    for (const auto& [id, handle] : nodes_[node].releasing) nodes_[node].orphans.insert(handle);
    nodes_[node].assigning.clear();
    nodes_[node].releasing.clear();
    restart(node);
  }

  void collect(std::size_t node, Outputs outputs) {
    for (Output& output : outputs) {
      if (auto* issue = std::get_if<Issue>(&output)) waiting_.push_back({node, nodes_[node].life, std::move(*issue)});
      if (std::holds_alternative<WantListing>(output)) nodes_[node].wants_listing = true;
      if (const auto* done = std::get_if<AssignDone>(&output)) on_assigned(node, *done);
      if (const auto* done = std::get_if<ReleaseDone>(&output)) on_released(node, *done);
    }
  }

  void on_assigned(std::size_t node, const AssignDone& done) {
    const std::string handle = nodes_[node].assigning.at(done.id);
    nodes_[node].assigning.erase(done.id);
    Client client{handle, {}};
    for (const Got& got : done.got) {
      client.addresses.insert(client.addresses.end(), got.addresses.begin(), got.addresses.end());
    }
    assigned_ += static_cast<int>(client.addresses.size());
    nodes_[node].held[handle] = std::move(client);
    check();
  }

  void on_released(std::size_t node, const ReleaseDone& done) {
    const std::string handle = nodes_[node].releasing.at(done.id);
    nodes_[node].releasing.erase(done.id);
    ASSERT_TRUE(done.outcome.ok()) << done.outcome.error().message;
    nodes_[node].orphans.erase(handle);
  }

  void begin_assign(std::size_t node) {
    const RequestId id = ++last_request_;
    const std::string handle = concat("h", id);
    nodes_[node].assigning[id] = handle;
    const PoolRange pool{"p", IpPrefix::parse(chances_.is_tight ? "10.0.0.0/28" : "10.0.0.0/26").value(), 29};
    const PoolRange pool6{"q", IpPrefix::parse("fd00::/120").value(), 126};
    std::vector<Demand> demands = {{.family = IpFamily::kV4, .count = 1 + random_.below(2), .pools = {pool}}};
    if (random_.below(3) == 0) demands.push_back({.family = IpFamily::kV6, .pools = {pool6}});
    const Holder holder{handle, {{kNodeAttribute, name_of(node)}}};
    collect(node, nodes_[node].allocator->assign({.id = id, .holder = holder, .demands = std::move(demands)}, now_));
  }

  void begin_release(std::size_t node) {
    if (nodes_[node].held.empty()) return;
    auto at = nodes_[node].held.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.below(nodes_[node].held.size())));
    release(node, std::string(at->first));
  }

  void release(std::size_t node, const std::string& handle) {
    nodes_[node].held.erase(handle);
    const RequestId id = ++last_request_;
    nodes_[node].releasing[id] = handle;
    collect(node, nodes_[node].allocator->release({.id = id, .handle = handle}, now_));
  }

  void maybe_cancel(std::size_t node) {
    if (nodes_[node].assigning.empty() || random_.below(4) != 0) return;
    const auto [id, handle] = *nodes_[node].assigning.begin();
    nodes_[node].assigning.erase(id);
    nodes_[node].orphans.insert(handle);
    collect(node, nodes_[node].allocator->cancel(id, now_));
  }

  void do_call(bool may_lose) {
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      if (!nodes_[node].wants_listing || (may_lose && random_.below(3) != 0)) continue;
      nodes_[node].wants_listing = false;
      if (may_lose && random_.below(100) < chances_.lost_percent) {
        return collect(node, nodes_[node].allocator->on_listing(Error{ErrorCode::kUnavailable, "lost"}, now_));
      }
      const auto listing = store_.list({model::AffinityType::kHost, name_of(node)});
      return collect(node, nodes_[node].allocator->on_listing(listing, now_));
    }
    if (waiting_.empty()) return;
    const std::size_t index = random_.below(waiting_.size());
    const Waiting one = std::move(waiting_[index]);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(index));
    const bool is_lost = may_lose && random_.below(100) < chances_.lost_percent;
    const std::uint64_t fate = random_.below(3);
    std::optional<Answer> answer;
    if (!is_lost || fate == 0) answer = store_.execute(one.issue.call);
    // No answer now, and the call is done at some later time.
    if (is_lost && fate == 1) waiting_.push_back({one.node, -1, one.issue});
    if (is_lost) answer = Answer(Error{ErrorCode::kTimeout, "no answer"});
    if (nodes_[one.node].life != one.life) return;
    collect(one.node, nodes_[one.node].allocator->on_answer(one.issue.id, std::move(*answer), now_));
  }

  bool is_quiet() const {
    return waiting_.empty() && std::all_of(nodes_.begin(), nodes_.end(), [](const Node& node) {
             return node.assigning.empty() && node.releasing.empty() && !node.wants_listing;
           });
  }

  SeededRandom random_;
  Chances chances_;
  const bool has_crashes_;
  FakeStore store_;
  std::vector<Node> nodes_;
  std::vector<Waiting> waiting_;
  Moment now_{TimePoint(std::chrono::seconds(1000)), WallTime(std::chrono::seconds(1000))};
  RequestId last_request_ = 0;
  int assigned_ = 0;
};

void explore(std::uint64_t first_seed, int seeds, int steps, Chances chances) {
  int assigned = 0;
  for (std::uint64_t seed = first_seed; seed < first_seed + static_cast<std::uint64_t>(seeds); ++seed) {
    SCOPED_TRACE(concat("seed ", seed));
    World world(seed, chances);
    for (int i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i) world.step();
    if (testing::Test::HasFailure()) return;
    world.settle();
    world.check();
    // Calls of lives long over may have been done since the last listing; the next one sees everything.
    world.restart_all();
    world.settle();
    world.release_everything();
    world.settle();
    world.check();
    world.check_empty();
    if (testing::Test::HasFailure()) return;
    assigned += world.assigned();
  }
  EXPECT_GT(assigned, seeds * steps / 100);
}

TEST(ModelCheck, LostAnswersAndRaces) { explore(1, 40, 600, {.crash_permille = 0}); }
TEST(ModelCheck, Crashes) { explore(1000, 40, 600, {.crash_permille = 10}); }
TEST(ModelCheck, FewAddresses) { explore(2000, 40, 600, {.is_tight = true}); }
TEST(ModelCheck, StrictAffinity) { explore(3000, 40, 600, {.strict = true, .is_tight = true}); }
TEST(ModelCheck, ServerThatIsHardlyThere) { explore(4000, 20, 600, {.lost_percent = 40, .crash_permille = 10}); }

}  // namespace
}  // namespace margay::ipam
