#include "bgp/fsm/pair_sim.h"

#include <algorithm>
#include <chrono>

#include "base/core/text.h"

namespace margay::bgp::fsm {
namespace {

constexpr std::size_t kTraceMax = 20000;
constexpr int kNobody = -1;

}  // namespace

PairSim::PairSim(std::array<PeerConfig, 2> configs, Faults faults, std::uint64_t seed)
    : configs_(std::move(configs)), faults_(faults), random_(seed) {
  make_node(0);
  make_node(1);
  schedule_fault();
}

void PairSim::make_node(int side) {
  std::unique_ptr<Harness>& node = nodes_[index(side)];
  node = std::make_unique<Harness>(configs_[index(side)], random_.next());
  node->set_now(now_);
  node->set_listener([this, side](const Output& output) { on_output(side, output); });
}

Duration PairSim::latency() {
  return Duration(static_cast<Duration::rep>(random_.below(static_cast<std::uint64_t>(latency_max_.count()))));
}

void PairSim::run_for(Duration duration) {
  const TimePoint end = now_ + duration;
  while (step_once(end)) {
  }
  now_ = end;
}

std::optional<Duration> PairSim::run_until_converged(Duration limit) {
  const TimePoint begin = now_;
  while (!is_converged()) {
    if (!step_once(begin + limit)) return std::nullopt;
  }
  return now_ - begin;
}

// The next thing in time: an event of the network, else a timer of one side.
bool PairSim::step_once(TimePoint end) {
  std::optional<TimePoint> next;
  if (!events_.empty()) next = events_.begin()->first;
  int timer_of = kNobody;
  for (const int side : {0, 1}) {
    const std::optional<TimePoint> deadline = node(side).next_deadline();
    if (!deadline || (next && *next <= *deadline)) continue;
    next = deadline;
    timer_of = side;
  }
  if (!next || *next > end) return false;
  now_ = std::max(now_, *next);
  for (const int side : {0, 1}) node(side).set_now(now_);
  if (timer_of != kNobody) {
    node(timer_of).fire_next();
  } else {
    const std::function<void()> what = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    what();
  }
  for (const int side : {0, 1}) {
    const std::string log = node(side).take_log();
    if (log.empty()) continue;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch()).count();
    trace_ += concat("-- ", ms, " ms, side ", side, "\n", log);
  }
  if (trace_.size() > kTraceMax) trace_.erase(0, trace_.size() - kTraceMax / 2);
  return true;
}

bool PairSim::is_converged() const {
  return std::any_of(links_.begin(), links_.end(), [&](const auto& entry) {
    const Link& link = entry.second;
    return !link.is_dead && link.ids[0] && link.ids[1] && nodes_[0]->session_connection() == link.ids[0] &&
           nodes_[1]->session_connection() == link.ids[1];
  });
}

std::optional<PairSim::LinkId> PairSim::link_of(int side, ConnectionId id) const {
  for (const auto& [number, link] : links_) {
    if (link.ids[index(side)] == id) return number;
  }
  return std::nullopt;
}

void PairSim::on_output(int side, const Output& output) {
  if (const auto* connect = std::get_if<Connect>(&output)) begin_attempt(side, connect->id);
  if (const auto* closing = std::get_if<Close>(&output)) close(side, closing->id);
  const auto* sending = std::get_if<Send>(&output);
  if (sending == nullptr) return;
  send(side, sending->id, [message = sending->message](ConnectionId id) -> Input {
    if (const auto* open = std::get_if<Open>(&message)) return OpenReceived{id, *open};
    if (const auto* notification = std::get_if<Notification>(&message)) return NotificationReceived{id, *notification};
    return KeepaliveReceived{id};
  });
}

// One in eight is refused and one in eight never answered while faults happen.
void PairSim::begin_attempt(int side, ConnectionId id) {
  const LinkId number = ++last_link_;
  links_[number].ids[index(side)] = id;
  const std::uint64_t luck = faults_.happen ? random_.below(8) : 2;
  const TimePoint arrival = now_ + latency();
  if (luck == 0) return;
  if (luck == 1) {
    at(arrival, [this, side, number] {
      deliver(side, number, [](ConnectionId attempt) { return Input(ConnectFailed{attempt, "refused"}); });
      forget(side, number);
    });
    return;
  }
  at(arrival, [this, side, number] { accept(other(side), number); });
}

// The attempt arrives; the other side may have given it up meanwhile, which arrives later.
void PairSim::accept(int side, LinkId number) {
  const auto found = links_.find(number);
  if (found == links_.end()) return;
  Link& link = found->second;
  const TimePoint arrival = now_ + latency();
  link.last_arrival[index(other(side))] = arrival;
  at(arrival, [this, side, number] {
    deliver(other(side), number, [](ConnectionId attempt) { return Input(Connected{attempt}); });
  });
  link.ids[index(side)] = node(side).peer().next_connection_id();
  node(side).step(Accepted{*link.ids[index(side)]});
}

void PairSim::send(int side, ConnectionId id, std::function<Input(ConnectionId)> message) {
  const std::optional<LinkId> number = link_of(side, id);
  if (!number) return;
  TimePoint& arrival = links_[*number].last_arrival[index(other(side))];
  arrival = std::max(arrival, now_ + latency());
  at(arrival, [this, side, number = *number, message = std::move(message)] { deliver(other(side), number, message); });
}

void PairSim::close(int side, ConnectionId id) {
  const std::optional<LinkId> number = link_of(side, id);
  if (!number) return;
  send(side, id, [](ConnectionId closed) { return Input(Closed{closed, "by the peer"}); });
  const TimePoint gone = links_[*number].last_arrival[index(other(side))];
  forget(side, *number);
  at(gone, [this, side, number = *number] { forget(other(side), number); });
}

void PairSim::deliver(int side, LinkId number, const std::function<Input(ConnectionId)>& message) {
  const auto found = links_.find(number);
  if (found == links_.end() || found->second.is_dead || !found->second.ids[index(side)]) return;
  node(side).step(message(*found->second.ids[index(side)]));
}

void PairSim::forget(int side, LinkId number) {
  const auto found = links_.find(number);
  if (found == links_.end()) return;
  found->second.ids[index(side)].reset();
  if (!found->second.ids[0] && !found->second.ids[1]) links_.erase(found);
}

void PairSim::schedule_fault() {
  const auto mean = static_cast<std::uint64_t>(faults_.mean_interval.count());
  at(now_ + Duration(static_cast<Duration::rep>(random_.below(2 * mean))), [this] {
    if (faults_.happen) fault();
    schedule_fault();
  });
}

void PairSim::fault() {
  const int side = static_cast<int>(random_.below(2));
  const std::uint64_t kind = random_.below(10);
  if (kind == 0) return restart(side, true);
  if (kind == 1 && faults_.half_open) return restart(side, false);
  if (kind == 2) {
    node(side).step(Reset{{6, cease_subcode::kAdministrativeReset, {}}});
    return;
  }
  if (links_.empty()) return;
  auto victim = links_.begin();
  std::advance(victim, static_cast<long>(random_.below(links_.size())));
  const bool is_silent = kind < 6 && faults_.half_open;
  reset_link(victim->first, is_silent ? side : kNobody);
}

// Both sides learn of it, or all but one.
void PairSim::reset_link(LinkId number, int silent_side) {
  for (const int side : {0, 1}) {
    const std::optional<ConnectionId> id = links_[number].ids[index(side)];
    if (side == silent_side || !id) continue;
    at(now_ + latency(), [this, side, number, epoch = nodes_[index(side)].get(), lost = *id] {
      if (nodes_[index(side)].get() != epoch || link_of(side, lost) != number) return;
      node(side).step(Closed{lost, "reset"});
      forget(side, number);
    });
  }
  links_[number].is_dead = true;
}

void PairSim::restart(int side, bool kernel_says_so) {
  std::vector<LinkId> mine;
  for (const auto& [number, link] : links_) {
    if (link.ids[index(side)]) mine.push_back(number);
  }
  for (const LinkId number : mine) {
    const std::optional<ConnectionId> id = links_[number].ids[index(side)];
    if (kernel_says_so) {
      close(side, *id);
    } else {
      links_[number].is_dead = true;
      forget(side, number);
    }
  }
  trace_ += concat("-- side ", side, kernel_says_so ? " starts anew\n" : " starts anew after a power loss\n");
  make_node(side);
  start(side);
}

}  // namespace margay::bgp::fsm
