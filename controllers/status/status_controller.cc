#include "controllers/status/status_controller.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "datastore/codec/codec.h"

namespace margay::controllers {
namespace {

constexpr std::string_view kReason = "PoolNearlyFull";

template <class T>
watch::Consume<T> into(std::map<std::string, std::shared_ptr<const T>>& map, bool& has_changed) {
  return [&map, &has_changed](const model::ObjectKey& key, const std::shared_ptr<const T>& object) {
    has_changed = true;
    if (object == nullptr) {
      map.erase(key.name);
    } else {
      map[key.name] = object;
    }
  };
}

}  // namespace

StatusController::StatusController(const WriterParts& parts, watch::ClusterWatch& cluster, EventGate& events)
    : parts_(parts),
      events_(events),
      look_(parts.loop.make_timer([this] { look(); })),
      queue_(parts.loop, parts.random, {},
             [this](const std::string& name, const std::function<void(Verdict)>& done) { write(name, done); }) {
  queue_.hold();
  cluster.add<model::IpPool>({}, {into(pools_, has_changed_)});
  cluster.add<model::IpamBlock>({}, {into(blocks_, has_changed_)});
  cluster.add<model::IpReservation>({}, {into(reservations_, has_changed_)});
}

void StatusController::on_turn(bool is_in_sync) {
  if (!is_in_sync || !std::exchange(has_changed_, false)) return;
  if (!look_->is_armed()) look_->arm(kPause);
}

void StatusController::look() {
  std::vector<IpPrefix> reserved;
  for (const auto& [name, each] : reservations_) {
    reserved.insert(reserved.end(), each->spec.reserved_cidrs.begin(), each->spec.reserved_cidrs.end());
  }
  const ipam::AddressSet reservations(reserved);
  std::vector<const model::IpamBlockSpec*> blocks;
  for (const auto& [name, block] : blocks_) {
    if (!block->spec.deleted) blocks.push_back(&block->spec);
  }
  for (const auto& [name, pool] : pools_) {
    const ipam::Usage usage = ipam::usage_of(pool->spec.cidr, reservations, blocks);
    fullness_[name] = fullness_of(usage, was_nearly_full(*pool));
    queue_.add(name);
  }
  std::erase_if(fullness_, [this](const auto& each) { return !pools_.contains(each.first); });
}

void StatusController::write(const std::string& name, const std::function<void(Verdict)>& done) {
  const auto found = pools_.find(name);
  const auto fullness = fullness_.find(name);
  if (found == pools_.end() || fullness == fullness_.end()) return done(Verdict::kDone);
  const model::IpPool& pool = *found->second;
  const model::ObjectKey key{model::Kind::kIpPool, "", name};
  model::Condition wanted = condition_of(fullness->second);
  if (fullness->second == Fullness::kRoom) {
    events_.forget(key, kReason);
  } else {
    events_.warn(key, pool.metadata, kReason, wanted.message);
  }
  model::IpPool next = pool;
  auto& all = next.status.conditions;
  const auto said =
      std::find_if(all.begin(), all.end(), [](const auto& each) { return each.type == kNearlyFullCondition; });
  const bool is_first = said == all.end();
  if (is_first && fullness->second == Fullness::kRoom) return done(Verdict::kDone);
  if (!is_first && said->status == wanted.status && said->reason == wanted.reason) return done(Verdict::kDone);
  const bool is_turn = is_first || said->status != wanted.status;
  wanted.last_transition_time = is_turn ? parts_.loop.wall_now() : said->last_transition_time;
  if (is_first) {
    all.push_back(std::move(wanted));
  } else {
    *said = std::move(wanted);
  }
  json::Value body;
  codec::encode(next, body);
  static const kube::ResourceType type = watch::resource_of(model::Kind::kIpPool);
  operations_[name] = parts_.client.update_status(
      type, {"", name}, body, {}, [this, name, done](const kube::ApiResult<json::Value>& answer) {
        const auto ended = operations_.extract(name);
        const bool is_over = answer.ok() || answer.error().code == ErrorCode::kNotFound;
        done(is_over ? Verdict::kDone : Verdict::kRetry);
      });
}

ControllerEntry status_controller() {
  return {"status", Section::kAlways, [](const ControllerParts& parts, watch::ClusterWatch& cluster) {
            return std::make_unique<StatusController>(parts.writer, cluster, parts.events);
          }};
}

}  // namespace margay::controllers
