#include "controllers/ipam/ipam_controller.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"

namespace margay::controllers {
namespace {

constexpr Duration kLookAfterChange = std::chrono::seconds(2);
constexpr Duration kLeakGraceDefault = std::chrono::minutes(15);
constexpr Duration kLookIdle = std::chrono::minutes(1);

}  // namespace

template <class T>
void IpamController::feed(std::function<void(const std::string& name, const std::shared_ptr<const T>& value)> also) {
  cluster_.add<T>({}, {[this, also](const model::ObjectKey& key, const std::shared_ptr<const T>& value) {
                    collector_.view().set(key.name, value);
                    is_changed_ = true;
                    if (also) also(key.name, value);
                  }});
}

IpamController::IpamController(const WriterParts& parts, watch::ClusterWatch& cluster, EventGate& events,
                               telemetry::Registry* metrics)
    : parts_(parts),
      cluster_(cluster),
      collector_(rules_),
      asks_(parts.client),
      pools_(parts, events),
      metrics_(metrics),
      timer_(parts.loop.make_timer([this] { look(); })) {
  cluster.add<model::Pod>(model::Kind::kPod, {}, codec::SharingDecoder<model::Pod>(),
                          {[this](const model::ObjectKey& key, const std::shared_ptr<const model::Pod>& pod) {
                            collector_.view().set_pod(key.name_space, key.name, pod);
                            is_changed_ = true;
                          }});
  feed<model::Node>();
  feed<model::BlockAffinity>();
  feed<model::IpamHandle>();
  feed<model::IpPool>([this](const std::string& name, const auto& pool) { pools_.note(name, pool); });
  feed<model::IpamBlock>([this](const std::string&, const auto& block) {
    if (block == nullptr) pools_.note_block_gone();
  });
  cluster.add<model::IpamConfiguration>(
      {}, {[this](const model::ObjectKey& key, const std::shared_ptr<const model::IpamConfiguration>& configuration) {
        if (key.name != "default") return;
        const int seconds = configuration == nullptr ? 0 : configuration->spec.ip_cooldown_seconds.value_or(0);
        rules_.cooldown = std::chrono::seconds(seconds);
        collector_.configure(rules_);
      }});
}

void IpamController::set_leak_grace(Duration grace) {
  rules_.grace = grace > Duration::zero() ? std::optional(grace) : std::nullopt;
  collector_.configure(rules_);
  is_changed_ = true;
}

void IpamController::configure(const Settings& settings) {
  const auto& node = settings.spec.controllers.node;
  set_leak_grace(node && node->leak_grace_period ? *node->leak_grace_period : kLeakGraceDefault);
}

void IpamController::on_turn(bool is_in_sync) {
  pools_.on_turn(is_in_sync);
  if (!is_in_sync) return;
  if (!std::exchange(is_in_sync_, true)) return timer_->arm(Duration::zero());
  // At most so often, however much changes.
  if (is_changed_ && !std::exchange(is_looking_soon_, true)) timer_->arm(kLookAfterChange);
}

void IpamController::look() {
  is_looking_soon_ = false;
  is_changed_ = false;
  // Kinds that the server does not have, or does not show, count as empty: no ground to judge by.
  const auto states = cluster_.states();
  const bool is_blind = std::any_of(states.begin(), states.end(), [](const auto& state) {
    return state.is_absent && (state.resource == "pods" || state.resource == "nodes");
  });
  ask(collector_.look(now(), is_leading_ && !is_blind));
  metrics_.set(collector_.tally());
  tell();
  const bool is_waiting = collector_.candidates() > 0 || collector_.is_busy();
  is_looking_soon_ = is_waiting;
  timer_->arm(is_waiting ? kLookAfterChange : kLookIdle);
}

void IpamController::lead(bool is_leading) {
  is_leading_ = is_leading;
  pools_.lead(is_leading);
  if (is_leading) {
    if (is_in_sync_) timer_->arm(Duration::zero());
    return;
  }
  asks_.drop_all();
  collector_.abandon();
}

void IpamController::ask(const std::vector<Question>& questions) {
  for (const Question& question : questions) {
    asks_.run(question.ask, [this, job = question.job](Told told) {
      ask(collector_.on_told(job, std::move(told), now()));
      tell();
    });
  }
}

void IpamController::tell() {
  for (const Deed& deed : collector_.take_deeds()) {
    if (!deed.problem.empty()) {
      parts_.log.warn("cannot be cleaned up yet",
                      {{"what", to_string(deed.kind)}, {"name", deed.what}, {"error", deed.problem}});
      continue;
    }
    for (const LeakedSlot& slot : deed.released) {
      parts_.log.info("leaked address released", {{"address", slot.address.to_string()},
                                                  {"handle", slot.handle},
                                                  {"node", slot.owner.node},
                                                  {"namespace", slot.owner.name_space},
                                                  {"pod", slot.owner.pod}});
      const model::IpPool* pool = collector_.view().pool_of(slot.block);
      metrics_.count_reclaimed(slot.owner.node, pool == nullptr ? kNoPool : std::string_view(pool->metadata.name));
    }
    if (deed.released.empty()) {
      parts_.log.info("cleaned up", {{"what", to_string(deed.kind)}, {"name", deed.what}});
    }
  }
}

ControllerEntry ipam_controller() {
  return {"ipam", Section::kNode, [](const ControllerParts& parts, watch::ClusterWatch& cluster) {
            return std::make_unique<IpamController>(parts.writer, cluster, parts.events, &parts.metrics);
          }};
}

}  // namespace margay::controllers
