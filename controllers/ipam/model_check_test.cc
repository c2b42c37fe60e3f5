// Pods, nodes, agents (real Allocators) and one or two Collectors over one store, every order that a seed gives: pods
// that go without a release, sandboxes that are made again, agents, nodes and collectors that die, calls that are lost
// or done late, watches that lag. Held against what the kubelets know.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "cni/ipam/fake_store.h"
#include "controllers/ipam/collector.h"
#include "controllers/ipam/lagging_watch.h"
#include "gtest/gtest.h"

namespace margay::controllers {
namespace {

using ipam::Moment;
using std::chrono::milliseconds;
using std::chrono::seconds;
using PodName = std::pair<std::string, std::string>;
constexpr Duration kGrace = seconds(60);
constexpr Duration kLagMax = seconds(15);
constexpr Duration kAddMax = seconds(20);
constexpr Duration kNoteMax = seconds(10);

struct Chances {
  std::uint64_t lost_percent = 5;    // calls without an answer
  std::uint64_t leak_percent = 30;   // ends of containers that nobody releases
  std::uint64_t agent_permille = 5;  // deaths, at each step
  std::uint64_t node_permille = 8;
  std::uint64_t collector_permille = 10;
  int collectors = 1;  // that all believe they lead
  bool cools = false;
};

struct Container {
  PodName pod;
  std::string node;
  bool is_wanted = true;  // the kubelet's present one of its pod
  TimePoint unwanted_since{};
};

class ClusterModel {
 public:
  ClusterModel(std::uint64_t seed, Chances chances) : random_(seed), chances_(chances) {
    auto pool = std::make_shared<model::IpPool>();
    pool->metadata.name = "p";
    pool->spec.cidr = IpPrefix::parse("10.0.0.0/26").value();
    pool->spec.block_size = 29;
    pool_ = pool;
    for (int i = 0; i < 3; ++i) add_node(concat("n", i));
    for (int i = 0; i < chances_.collectors; ++i) watchers_.push_back(new_watcher());
  }

  void step() {
    now_.steady += milliseconds(random_.below(1000));
    now_.wall = WallTime(now_.steady.time_since_epoch());
    run_deadlines();
    if (is_lucky(chances_.agent_permille)) return crash_agent(any_node());
    if (is_lucky(chances_.node_permille)) return flip_node(concat("n", random_.below(3)));
    if (is_lucky(chances_.collector_permille)) return replace_watcher(any_watcher());
    switch (random_.below(16)) {
      case 0: return create_pod();
      case 1: return end_pod();
      case 2: return remake_sandbox();
      case 3: return flip_tunnel(any_node());
      case 4: return is_lucky(100) ? plant_foreign() : reap_pods();
      case 5: return look(any_watcher());
      case 6: return tick_agents();
      case 7: return any_watcher().deliver_some(random_);
      case 8:
      case 9:
      case 10: return answer_question(any_watcher(), /*may_lose=*/true);
      default: return do_call(/*may_lose=*/true);
    }
  }

  // No more faults and no news: agents come to rest, and what is leaked has to go within its time.
  void settle() {
    chances_.lost_percent = 0;
    watchers_.erase(watchers_.begin() + 1, watchers_.end());
    const TimePoint until = now_.steady + kGrace * 5;
    while (now_.steady < until) {
      now_.steady += seconds(1);
      now_.wall = WallTime(now_.steady.time_since_epoch());
      run_deadlines();
      reap_pods();
      restart_pods();
      tick_agents();
      for (int i = 0; i < 500 && has_work(); ++i) {
        do_call(/*may_lose=*/false);
        watchers_[0].deliver_until(now_.steady);
        answer_question(watchers_[0], /*may_lose=*/false);
      }
      look(watchers_[0]);
    }
  }

  // Of the store against what the kubelets know.
  void check_end() {
    std::map<std::string, std::map<std::string, std::int32_t, std::less<>>> wanted;
    for (const model::IpamBlockSpec& block : store_.blocks()) {
      ASSERT_TRUE(ipam::check_block(block).ok()) << ipam::check_block(block).error().message;
      EXPECT_TRUE(block.affinity || !ipam::is_empty(block)) << block.cidr.to_string() << " is nobody's and empty";
      for (std::size_t i = 0; i < block.allocations.size(); ++i) {
        const std::string* holder = ipam::holder_of(block, static_cast<ipam::Ordinal>(i));
        const auto address = ipam::address_at(block, static_cast<ipam::Ordinal>(i)).to_string();
        EXPECT_TRUE(!block.allocations[i] || holder != nullptr) << address << " still cools";
        if (holder == nullptr) continue;
        ++wanted[*holder][block.cidr.to_string()];
        EXPECT_TRUE(is_wanted(*holder, address)) << address << " of " << *holder << " is leaked";
      }
    }
    std::map<std::string, std::map<std::string, std::int32_t, std::less<>>> said;
    for (const model::IpamHandleSpec& handle : store_.handles()) said[handle.handle_id] = handle.block;
    EXPECT_EQ(said, wanted);
    for (const model::BlockAffinitySpec& affinity : store_.affinities()) {
      const bool is_excused = nodes_.contains(affinity.node) || has_foreign(affinity.cidr);
      EXPECT_TRUE(is_excused) << affinity.node << " is gone and owns " << affinity.cidr.to_string();
    }
    for (const auto& [handle, container] : containers_) {
      if (!container.is_wanted || !told_.contains(handle)) continue;
      EXPECT_TRUE(wanted.contains(handle)) << handle << " lost its address";
    }
    for (const std::string& handle : foreign_) EXPECT_TRUE(wanted.contains(handle)) << handle << " is not ours to take";
  }

  int collected = 0;

 private:
  struct NodeModel {
    std::unique_ptr<ipam::Allocator> allocator;
    std::shared_ptr<const model::Node> object;
    int life = 0;
    bool wants_listing = false;
    std::map<ipam::RequestId, std::string> assigning;  // handles
    std::optional<std::string> tunnel;                 // address
    bool is_tunnel_coming = false;
    std::set<std::string> old_tunnels{};  // given before it was asked for
  };
  struct WaitingCall {
    std::string node;
    int life;
    ipam::Issue issue;
  };

  bool is_lucky(std::uint64_t permille) { return random_.below(1000) < permille; }
  LaggingWatch& any_watcher() { return watchers_[random_.below(watchers_.size())]; }
  std::string any_node() {
    if (nodes_.empty()) return {};
    auto at = nodes_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.below(nodes_.size())));
    return at->first;
  }

  // --- watches ---
  void publish(const std::string& name_space, const std::string& name, const WatchedValue& value) {
    for (LaggingWatch& watcher : watchers_) watcher.publish(name_space, name, value, now_.steady);
  }
  LaggingWatch new_watcher() {
    CollectRules rules;
    rules.grace = kGrace;
    rules.cooldown = chances_.cools ? seconds(10) : seconds(0);
    LaggingWatch out(rules);
    out.view().set("p", pool_);
    for (const auto& [key, object] : store_.objects()) show(out.view(), object);
    for (const auto& [name, pod] : pods_) out.view().set_pod(name.first, name.second, pod);
    for (const auto& [name, node] : nodes_) out.view().set(name, node.object);
    return out;
  }
  static void show(IpamView& view, const ipam::Object& object) {
    std::visit(
        [&view](const auto& each) {
          using T = std::decay_t<decltype(each)>;
          view.set(each.metadata.name, std::shared_ptr<const T>(std::make_shared<T>(each)));
        },
        object);
  }

  // --- collectors ---
  void replace_watcher(LaggingWatch& watcher) { watcher = new_watcher(); }
  void look(LaggingWatch& watcher) {
    for (Question& question : watcher.collector().look(now_, /*may_act=*/true))
      watcher.questions.push_back(std::move(question));
  }
  void answer_question(LaggingWatch& watcher, bool may_lose) {
    if (watcher.questions.empty()) return;
    const std::size_t index = random_.below(watcher.questions.size());
    const Question question = std::move(watcher.questions[index]);
    watcher.questions.erase(watcher.questions.begin() + static_cast<std::ptrdiff_t>(index));
    const bool is_lost = may_lose && random_.below(100) < chances_.lost_percent;
    Told told = Error{ErrorCode::kTimeout, "no answer"};
    if (!is_lost || random_.below(2) == 0) {
      Told answer = ask(question.ask);
      if (!is_lost) told = std::move(answer);
    }
    for (Question& next : watcher.collector().on_told(question.job, std::move(told), now_)) {
      watcher.questions.push_back(std::move(next));
    }
  }
  Told ask(const Ask& ask) {
    if (const auto* pod = std::get_if<ReadPod>(&ask)) {
      const auto found = pods_.find({pod->name_space, pod->name});
      if (found == pods_.end()) return Error{ErrorCode::kNotFound, "no pod"};
      return Told(*found->second);
    }
    if (const auto* node = std::get_if<ReadNode>(&ask)) {
      const auto found = nodes_.find(node->name);
      if (found == nodes_.end()) return Error{ErrorCode::kNotFound, "no node"};
      return Told(*found->second.object);
    }
    const auto& call = std::get<ipam::Call>(ask);
    std::optional<model::IpamBlockSpec> before;
    if (const auto* block = std::get_if<model::IpamBlock>(&call.object); block != nullptr) {
      for (const auto& each : store_.blocks()) {
        if (each.cidr == block->spec.cidr) before = each;
      }
    }
    const ipam::Answer answer = execute(call);
    if (!answer.ok()) return answer.error();
    if (before && call.verb != ipam::Verb::kGet) {
      const auto* block = std::get_if<model::IpamBlock>(&call.object);
      check_taken(*before, call.verb == ipam::Verb::kDelete ? nullptr : &block->spec);
    }
    forget_old_tunnels(answer);
    return Told(answer.value());
  }
  // What a collector's write has taken must not have been used, nor lately.
  void check_taken(const model::IpamBlockSpec& before, const model::IpamBlockSpec* after) {
    for (std::size_t i = 0; i < before.allocations.size(); ++i) {
      const auto ordinal = static_cast<ipam::Ordinal>(i);
      const std::string* holder = ipam::holder_of(before, ordinal);
      if (holder == nullptr || (after != nullptr && ipam::holder_of(*after, ordinal) != nullptr)) continue;
      ++collected;
      const std::string address = ipam::address_at(before, ordinal).to_string();
      ASSERT_FALSE(is_wanted(*holder, address)) << address << " of " << *holder << " is in use and was taken";
      const auto found = containers_.find(*holder);
      if (found == containers_.end() || !nodes_.contains(found->second.node)) continue;
      ASSERT_GE((now_.steady - found->second.unwanted_since).count(), (kGrace - kLagMax - kAddMax - kNoteMax).count())
          << address << " of " << *holder << " was taken too early";
    }
  }
  bool is_wanted(const std::string& handle, const std::string& address) const {
    if (std::find(foreign_.begin(), foreign_.end(), handle) != foreign_.end()) return true;
    if (const auto found = containers_.find(handle); found != containers_.end()) return found->second.is_wanted;
    return std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
      const bool is_coming = node.second.is_tunnel_coming && !node.second.old_tunnels.contains(address);
      return handle == tunnel_of(node.first) && (is_coming || node.second.tunnel == address);
    });
  }
  bool has_foreign(const IpPrefix& cidr) const {
    for (const auto& block : store_.blocks()) {
      for (const std::string& handle : foreign_) {
        if (block.cidr == cidr && !ipam::addresses_of(block, handle).empty()) return true;
      }
    }
    return false;
  }

  // --- the API server ---
  ipam::Answer execute(const ipam::Call& call) {
    ipam::Answer answer = store_.execute(call);
    if (!answer.ok() || call.verb == ipam::Verb::kGet) return answer;
    std::visit(
        [&](const auto& each) {
          using T = std::decay_t<decltype(each)>;
          std::shared_ptr<const T> value;
          if (call.verb != ipam::Verb::kDelete) value = std::make_shared<T>(each);
          publish("", each.metadata.name, WatchedValue(value));
        },
        answer.value());
    return answer;
  }
  // What is free may be given again.
  void forget_old_tunnels(const ipam::Answer& answer) {
    const auto* block = answer.ok() ? std::get_if<model::IpamBlock>(&*answer) : nullptr;
    if (block == nullptr) return;
    for (const ipam::Ordinal ordinal : block->spec.unallocated) {
      for (auto& [name, node] : nodes_) node.old_tunnels.erase(ipam::address_at(block->spec, ordinal).to_string());
    }
  }
  void put_pod(const PodName& name, const std::shared_ptr<const model::Pod>& pod) {
    if (pod == nullptr) {
      pods_.erase(name);
    } else {
      pods_[name] = pod;
    }
    publish(name.first, name.second, WatchedValue(pod));
  }

  // --- nodes and agents ---
  static std::string tunnel_of(const std::string& node) { return ipam::tunnel_handle(ipam::TunnelKind::kIpip, node); }

  void add_node(const std::string& name) {
    auto object = std::make_shared<model::Node>();
    object->metadata.name = name;
    nodes_[name].object = object;
    publish("", name, WatchedValue(std::shared_ptr<const model::Node>(object)));
    start_agent(name);
  }
  void flip_node(const std::string& name) {
    if (!nodes_.contains(name)) return add_node(name);
    if (nodes_.size() == 1) return;
    for (auto& [handle, container] : containers_) {
      if (container.node == name) end_container(handle, /*is_released=*/false);
    }
    nodes_.erase(name);
    publish("", name, WatchedValue(std::shared_ptr<const model::Node>()));
  }
  void start_agent(const std::string& name) {
    NodeModel& node = nodes_[name];
    ipam::AllocatorConfig config{.rules = {.owner = {model::AffinityType::kHost, name}}};
    config.spare_min = 2;
    config.empty_kept = seconds(30);
    config.rules.cooldown = chances_.cools ? seconds(10) : seconds(0);
    node.life = ++last_life_;
    node.assigning.clear();
    node.is_tunnel_coming = false;
    node.allocator = std::make_unique<ipam::Allocator>(config);
    collect(name, node.allocator->start(now_));
  }
  // With all its containers, or alone; what was under way may still be done.
  void crash_agent(const std::string& name) {
    if (name.empty()) return;
    const bool is_whole_host = random_.below(2) == 0;
    std::vector<std::string> ended;
    for (const auto& [id, handle] : nodes_[name].assigning) ended.push_back(handle);
    for (const auto& [handle, container] : containers_) {
      if (is_whole_host && container.node == name && container.is_wanted) ended.push_back(handle);
    }
    for (const std::string& handle : ended) end_container(handle, /*is_released=*/false);
    start_agent(name);
  }
  void collect(const std::string& name, ipam::Outputs outputs) {
    for (ipam::Output& output : outputs) {
      if (auto* issue = std::get_if<ipam::Issue>(&output))
        calls_.push_back({name, nodes_[name].life, std::move(*issue)});
      if (std::holds_alternative<ipam::WantListing>(output)) nodes_[name].wants_listing = true;
      if (const auto* done = std::get_if<ipam::AssignDone>(&output)) on_assigned(name, *done);
    }
  }
  void tick_agents() {
    for (auto& [name, node] : nodes_) collect(name, node.allocator->on_tick(now_));
  }
  void do_call(bool may_lose) {
    for (auto& [name, node] : nodes_) {
      if (!node.wants_listing) continue;
      node.wants_listing = false;
      return collect(name, node.allocator->on_listing(store_.list({model::AffinityType::kHost, name}), now_));
    }
    if (calls_.empty()) return;
    const std::size_t index = random_.below(calls_.size());
    const WaitingCall one = std::move(calls_[index]);
    calls_.erase(calls_.begin() + static_cast<std::ptrdiff_t>(index));
    const bool is_lost = may_lose && random_.below(100) < chances_.lost_percent;
    const std::uint64_t fate = random_.below(3);
    ipam::Answer answer = Error{ErrorCode::kTimeout, "no answer"};
    if (!is_lost || fate == 0) {
      ipam::Answer got = execute(one.issue.call);
      forget_old_tunnels(got);
      if (!is_lost) answer = std::move(got);
    }
    if (is_lost && fate == 1) calls_.push_back({one.node, -1, one.issue});
    const auto node = nodes_.find(one.node);
    if (node == nodes_.end() || node->second.life != one.life) return;
    collect(one.node, node->second.allocator->on_answer(one.issue.id, std::move(answer), now_));
  }
  bool has_work() const {
    const bool wants_listing =
        std::any_of(nodes_.begin(), nodes_.end(), [](const auto& node) { return node.second.wants_listing; });
    return wants_listing || !calls_.empty() || !watchers_[0].questions.empty();
  }

  // --- pods and their containers ---
  void create_pod() {
    const PodName name{"ns", concat("p", random_.below(8))};
    const std::string node = any_node();
    if (node.empty() || pods_.contains(name)) return;
    auto pod = std::make_shared<model::Pod>();
    pod->metadata.name_space = std::string_view(name.first);
    pod->metadata.name = name.second;
    pod->spec.node_name = std::string_view(node);
    put_pod(name, pod);
    add_container(name, node);
  }
  void add_container(const PodName& pod, const std::string& node) {
    const ipam::RequestId id = ++last_request_;
    const std::string handle = concat("k8s-pod-network.c", id);
    containers_[handle] = {pod, node, true, {}};
    assign(node, id, handle, {{"namespace", pod.first}, {"pod", pod.second}, {"node", node}});
    deadlines_.emplace_back(now_.steady + kAddMax, [this, node, id] { give_up(node, id); });
  }
  void assign(const std::string& node, ipam::RequestId id, const std::string& handle, StringMap attributes) {
    nodes_[node].assigning[id] = handle;
    const ipam::PoolRange range{"p", pool_->spec.cidr, 29};
    std::vector<ipam::Demand> demands = {{.family = IpFamily::kV4, .count = 1, .pools = {range}}};
    collect(node, nodes_[node].allocator->assign(
                      {.id = id, .holder = {handle, std::move(attributes)}, .demands = std::move(demands)}, now_));
  }
  // The kubelet does not wait for ever.
  void give_up(const std::string& name, ipam::RequestId id) {
    const auto node = nodes_.find(name);
    if (node == nodes_.end() || !node->second.assigning.contains(id)) return;
    const std::string handle = node->second.assigning.at(id);
    node->second.assigning.erase(id);
    collect(name, node->second.allocator->cancel(id, now_));
    if (handle == tunnel_of(name)) node->second.is_tunnel_coming = false;
    end_container(handle, /*is_released=*/true);
  }
  void on_assigned(const std::string& node, const ipam::AssignDone& done) {
    const auto found = nodes_[node].assigning.find(done.id);
    if (found == nodes_[node].assigning.end()) return;
    const std::string handle = found->second;
    nodes_[node].assigning.erase(found);
    if (done.got.empty() || done.got[0].addresses.empty()) {
      if (handle == tunnel_of(node)) nodes_[node].is_tunnel_coming = false;
      return end_container(handle, /*is_released=*/true);
    }
    const std::string address = done.got[0].addresses[0].to_string();
    if (handle == tunnel_of(node)) return set_tunnel(node, address);
    told_.insert(handle);
    const Duration after(static_cast<Duration::rep>(random_.below(static_cast<std::uint64_t>(kNoteMax.count()))));
    deadlines_.emplace_back(now_.steady + after, [this, handle, address] { note(handle, address); });
  }
  void note(const std::string& handle, const std::string& address) {
    const Container& container = containers_.at(handle);
    const auto found = pods_.find(container.pod);
    if (!container.is_wanted || found == pods_.end()) return;
    auto pod = std::make_shared<model::Pod>(*found->second);
    pod->metadata.annotations.set("cni.projectcalico.org/podIPs", address);
    put_pod(container.pod, pod);
  }
  void end_container(const std::string& handle, bool is_released) {
    const auto found = containers_.find(handle);
    if (found == containers_.end() || !found->second.is_wanted) return;
    found->second.is_wanted = false;
    found->second.unwanted_since = now_.steady;
    const auto node = nodes_.find(found->second.node);
    if (!is_released || node == nodes_.end()) return;
    collect(node->first, node->second.allocator->release({.id = ++last_request_, .handle = handle}, now_));
  }
  bool is_leak() { return random_.below(100) < chances_.leak_percent; }
  std::optional<std::string> container_of(const PodName& pod) const {
    for (const auto& [handle, container] : containers_) {
      if (container.pod == pod && container.is_wanted) return handle;
    }
    return std::nullopt;
  }
  std::optional<PodName> any_pod() {
    if (pods_.empty()) return std::nullopt;
    auto at = pods_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.below(pods_.size())));
    return at->first;
  }
  void end_pod() {
    const auto name = any_pod();
    if (!name) return;
    if (const auto handle = container_of(*name)) end_container(*handle, !is_leak());
    if (random_.below(4) > 0) return put_pod(*name, nullptr);
    auto pod = std::make_shared<model::Pod>(*pods_.at(*name));
    pod->status.phase = model::PodPhase::kSucceeded;
    put_pod(*name, pod);
  }
  void remake_sandbox() {
    const auto name = any_pod();
    if (!name || pods_.at(*name)->status.phase == model::PodPhase::kSucceeded) return;
    const std::string node(pods_.at(*name)->spec.node_name.view());
    if (!nodes_.contains(node)) return;
    if (const auto handle = container_of(*name)) end_container(*handle, !is_leak());
    add_container(*name, node);
  }
  // The kubelets try again.
  void restart_pods() {
    for (const auto& [name, pod] : pods_) {
      const bool is_over = pod->status.phase == model::PodPhase::kSucceeded;
      const std::string node(pod->spec.node_name.view());
      if (!is_over && nodes_.contains(node) && !container_of(name)) add_container(name, node);
    }
  }
  // Pods of nodes that are gone are deleted at some time.
  void reap_pods() {
    std::vector<PodName> gone;
    for (const auto& [name, pod] : pods_) {
      if (!nodes_.contains(std::string(pod->spec.node_name.view()))) gone.push_back(name);
    }
    for (const PodName& name : gone) put_pod(name, nullptr);
  }
  void flip_tunnel(const std::string& name) {
    if (name.empty() || nodes_[name].is_tunnel_coming) return;
    NodeModel& node = nodes_[name];
    if (!node.tunnel) {
      const ipam::RequestId id = ++last_request_;
      node.is_tunnel_coming = true;
      node.old_tunnels.clear();
      for (const auto& block : store_.blocks()) {
        for (const IpAddress& address : ipam::addresses_of(block, tunnel_of(name))) {
          node.old_tunnels.insert(address.to_string());
        }
      }
      deadlines_.emplace_back(now_.steady + kAddMax, [this, name, id] { give_up(name, id); });
      return assign(name, id, tunnel_of(name), {{"type", "ipipTunnelAddress"}, {"node", name}});
    }
    set_tunnel(name, std::nullopt);
    if (!is_leak()) collect(name, node.allocator->release({.id = ++last_request_, .handle = tunnel_of(name)}, now_));
  }
  void set_tunnel(const std::string& name, std::optional<std::string> address) {
    NodeModel& node = nodes_[name];
    node.is_tunnel_coming = false;
    node.tunnel = address;
    auto object = std::make_shared<model::Node>(*node.object);
    if (address) object->metadata.annotations.set("projectcalico.org/IPv4IPIPTunnelAddr", *address);
    if (!address) object->metadata.annotations.erase("projectcalico.org/IPv4IPIPTunnelAddr");
    node.object = object;
    publish("", name, WatchedValue(node.object));
  }
  // Another orchestrator's: it says neither pod nor type.
  void plant_foreign() {
    for (const auto& [key, object] : store_.objects()) {
      if (!std::holds_alternative<model::IpamBlock>(object) || foreign_.size() >= 3) continue;
      auto block = std::get<model::IpamBlock>(object);
      const std::string handle = concat("vm-", ++last_request_);
      if (ipam::assign_any(block.spec, 1, {handle, {{"node", "elsewhere"}}}, {}).empty()) continue;
      ++block.spec.sequence_number;
      model::IpamHandle index;
      index.metadata.name = handle;
      index.spec = {handle, {{block.spec.cidr.to_string(), 1}}, false};
      foreign_.push_back(handle);
      (void)execute({ipam::Verb::kUpdate, block});
      (void)execute({ipam::Verb::kCreate, index});
      return;
    }
  }

  void run_deadlines() {
    for (LaggingWatch& watcher : watchers_) watcher.deliver_until(now_.steady - kLagMax);
    for (std::size_t i = 0; i < deadlines_.size();) {
      if (deadlines_[i].first > now_.steady) {
        ++i;
        continue;
      }
      const auto task = std::move(deadlines_[i].second);
      deadlines_.erase(deadlines_.begin() + static_cast<std::ptrdiff_t>(i));
      task();
    }
  }

  SeededRandom random_;
  Chances chances_;
  ipam::FakeStore store_;
  Moment now_{TimePoint(seconds(1000)), WallTime(seconds(1000))};
  std::shared_ptr<const model::IpPool> pool_;
  std::map<std::string, NodeModel> nodes_;
  std::map<PodName, std::shared_ptr<const model::Pod>> pods_;
  std::map<std::string, Container> containers_;  // by handle
  std::set<std::string> told_;                   // handles that were told their address
  std::vector<std::string> foreign_;
  std::vector<LaggingWatch> watchers_;
  std::vector<WaitingCall> calls_;
  std::vector<std::pair<TimePoint, std::function<void()>>> deadlines_;
  ipam::RequestId last_request_ = 0;
  int last_life_ = 0;
};

// More with MARGAY_MODEL_SCALE: that many times as many histories.
void explore(std::uint64_t first_seed, int seeds, Chances chances) {
  const char* scale = std::getenv("MARGAY_MODEL_SCALE");
  if (scale != nullptr) seeds *= parse_number<int>(scale).value_or(1);
  int collected = 0;
  for (std::uint64_t seed = first_seed; seed < first_seed + static_cast<std::uint64_t>(seeds); ++seed) {
    SCOPED_TRACE(concat("seed ", seed));
    ClusterModel cluster(seed, chances);
    for (int i = 0; i < 400 && !testing::Test::HasFatalFailure(); ++i) cluster.step();
    if (testing::Test::HasFailure()) return;
    cluster.settle();
    cluster.check_end();
    if (testing::Test::HasFailure()) return;
    collected += cluster.collected;
  }
  EXPECT_GT(collected, seeds) << "too little was leaked to show anything";
}

TEST(CollectorModel, LostReleases) { explore(1, 20, {}); }
TEST(CollectorModel, NodesComeAndGo) { explore(100'000, 20, {.agent_permille = 20, .node_permille = 30}); }
TEST(CollectorModel, TwoWhoBothThinkTheyLead) { explore(200'000, 20, {.collector_permille = 30, .collectors = 2}); }
TEST(CollectorModel, AddressesThatCoolDown) { explore(300'000, 20, {.cools = true}); }
TEST(CollectorModel, ServerThatIsHardlyThere) { explore(400'000, 20, {.lost_percent = 40, .collectors = 2}); }

}  // namespace
}  // namespace margay::controllers
