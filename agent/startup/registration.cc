#include "agent/startup/registration.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/core/text.h"

namespace margay::startup {
namespace {

constexpr Duration kRetryMin = std::chrono::seconds(1);
constexpr Duration kRetryMax = std::chrono::seconds(60);
// Addresses that move come and go; every change of a Node is told to the whole cluster.
constexpr Duration kInterfacesDelay = std::chrono::seconds(5);

kube::ResourceType nodes() { return {"", "v1", "nodes", "Node", false}; }

// A request that is to be sent; `patch` empty: there is none.
struct Request {
  std::string subresource;
  kube::PatchType type = kube::PatchType::kMerge;
  std::string patch;
};

std::vector<IpAddress> internal_addresses(const model::Node& node) {
  std::vector<IpAddress> addresses;
  for (const model::NodeAddress& each : node.status.addresses) {
    const auto address = IpAddress::parse(each.address);
    if (each.type == "InternalIP" && address.ok()) addresses.push_back(*address);
  }
  return addresses;
}

}  // namespace

class Registration::Impl {
 public:
  Impl(Parts parts, Environment environment, Events events)
      : parts_(std::move(parts)),
        environment_(std::move(environment)),
        events_(std::move(events)),
        book_(environment_.node_name),
        retry_(parts_.loop.make_timer([this] { send(); })),
        interfaces_timer_(parts_.loop.make_timer([this] {
          may_send_interfaces_ = true;
          send();
        })),
        poll_(parts_.loop.make_timer([this] {
          evaluate();
          poll_->arm(environment_.poll_interval);
        })) {
    poll_->arm(environment_.poll_interval);
  }

  void set_node(const std::string& name, std::shared_ptr<const model::Node> node) {
    if (name == environment_.node_name) {
      node_ = std::move(node);
      return evaluate();
    }
    // Of others only their addresses are of interest.
    book_.set_node(name, node == nullptr ? nullptr : &node->metadata.annotations);
    if (identity_) tell_conflicts();
  }
  void set_interfaces(HostInterfaces interfaces) {
    interfaces_ = std::move(interfaces);
    evaluate();
  }
  void set_ready() {
    is_ready_ = true;
    plan_interfaces();
    send();
  }
  void set_condition(const Condition& condition) {
    const auto [at, is_new] = conditions_.try_emplace(condition.type, condition);
    if (!is_new && at->second == condition) return;
    at->second = condition;
    done_version_ = "none";
    send();
  }

  [[nodiscard]] std::vector<AddressConflict> conflicts() const {
    return identity_ && environment_.checks_node_ip ? book_.conflicts(identity_->networking)
                                                    : std::vector<AddressConflict>();
  }
  [[nodiscard]] bool is_registered() const { return identity_ && node_ != nullptr && next_request().patch.empty(); }

  std::optional<Identity> identity_;
  std::string last_error_;

 private:
  void evaluate() {
    if (node_ == nullptr || !interfaces_) return;
    Identity next = decide(environment_, {*interfaces_, internal_addresses(*node_), parts_.source_towards},
                           node_->metadata.annotations);
    tell(next.notes);
    const bool is_new = !identity_ || identity_->networking != next.networking ||
                        identity_->interface_v4 != next.interface_v4 || identity_->interface_v6 != next.interface_v6;
    identity_ = std::move(next);
    if (is_new && events_.on_identity) events_.on_identity(*identity_);
    tell_conflicts();
    plan_interfaces();
    send();
  }

  void plan_interfaces() {
    if (!is_ready_ || node_ == nullptr || !interfaces_) return;
    if (interfaces_patch(*node_, *interfaces_).empty()) {
      may_send_interfaces_ = false;
      interfaces_timer_->disarm();
    } else if (!may_send_interfaces_ && !interfaces_timer_->is_armed()) {
      interfaces_timer_->arm(kInterfacesDelay);
    }
  }

  void tell(const std::set<Note>& notes) {
    for (const Note& note : notes) {
      if (!told_.insert(note).second) continue;
      tell(to_string(note.kind), note.message, is_warning(note.kind));
    }
    // What is no longer so may be told again.
    for (auto each = told_.begin(); each != told_.end();)
      each = notes.contains(*each) ? std::next(each) : told_.erase(each);
  }

  void tell_conflicts() {
    std::set<AddressConflict> now;
    for (const AddressConflict& conflict : conflicts()) {
      now.insert(conflict);
      if (told_conflicts_.contains(conflict)) continue;
      tell("NodeAddressConflict", concat("node ", conflict.node, " has ", conflict.address.to_string(), " too"), true);
    }
    told_conflicts_ = std::move(now);
  }

  void tell(std::string_view reason, const std::string& message, bool is_warning) {
    parts_.log.log(is_warning ? telemetry::Level::kWarn : telemetry::Level::kInfo, message, {{"reason", reason}});
    if (events_.on_note) events_.on_note(reason, message, is_warning);
  }

  // What differs, annotations first.
  [[nodiscard]] Request next_request() const {
    Request request{"", kube::PatchType::kMerge, annotations_patch(*node_, identity_->networking)};
    if (!request.patch.empty()) return request;
    std::vector<Condition> conditions;
    if (is_ready_) conditions.push_back(network_available());
    for (const auto& [type, condition] : conditions_) conditions.push_back(condition);
    std::string patch = conditions_patch(*node_, conditions, parts_.loop.wall_now());
    if (patch.empty()) return {};
    return {"status", kube::PatchType::kStrategicMerge, std::move(patch)};
  }

  void send() {
    if (node_ == nullptr || !identity_ || under_way_ != nullptr || retry_->is_armed()) return;
    Request request = next_request();
    if (request.patch.empty() && may_send_interfaces_) request.patch = interfaces_patch(*node_, *interfaces_);
    if (request.patch.empty()) return;
    // Done already, and the watch has not shown it yet.
    if (node_->metadata.resource_version == done_version_ && request.subresource == done_subresource_) return;
    version_ = node_->metadata.resource_version;
    subresource_ = request.subresource;
    under_way_ = parts_.client.patch(nodes(), {"", environment_.node_name}, request.subresource, request.type,
                                     std::move(request.patch), {.field_manager = "margay-node"},
                                     [this](const kube::ApiResult<json::Value>& answer) { on_answer(answer); });
  }

  void on_answer(const kube::ApiResult<json::Value>& answer) {
    const kube::OperationPtr ended = std::move(under_way_);
    if (answer.ok()) {
      done_version_ = version_;
      done_subresource_ = subresource_;
      last_error_.clear();
      backoff_ = kRetryMin;
      return send();
    }
    last_error_ = answer.error().message;
    parts_.log.warn("the Node object could not be changed; it is tried again",
                    {{"error", last_error_}, {"after", backoff_}});
    retry_->arm(backoff_ + Duration(static_cast<std::int64_t>(
                               parts_.random.below(static_cast<std::uint64_t>(backoff_.count() / 4)))));
    backoff_ = std::min(backoff_ * 2, kRetryMax);
  }

  Parts parts_;
  Environment environment_;
  Events events_;
  AddressBook book_;
  std::shared_ptr<const model::Node> node_;
  std::optional<HostInterfaces> interfaces_;
  bool is_ready_ = false;
  bool may_send_interfaces_ = false;
  std::map<std::string, Condition> conditions_;  // by type
  std::set<Note> told_;
  std::set<AddressConflict> told_conflicts_;
  std::string version_, subresource_;  // of the request under way
  std::string done_version_ = "none", done_subresource_;
  Duration backoff_ = kRetryMin;
  kube::OperationPtr under_way_;
  std::unique_ptr<loop::Timer> retry_;
  std::unique_ptr<loop::Timer> interfaces_timer_;
  std::unique_ptr<loop::Timer> poll_;
};

Registration::Registration(Parts parts, Environment environment, Events events)
    : impl_(std::make_unique<Impl>(std::move(parts), std::move(environment), std::move(events))) {}
Registration::~Registration() = default;

void Registration::set_node(const std::string& name, std::shared_ptr<const model::Node> node) {
  impl_->set_node(name, std::move(node));
}
void Registration::set_interfaces(HostInterfaces interfaces) { impl_->set_interfaces(std::move(interfaces)); }
void Registration::set_ready() { impl_->set_ready(); }
void Registration::set_condition(const Condition& condition) { impl_->set_condition(condition); }
const std::optional<Identity>& Registration::identity() const { return impl_->identity_; }
std::vector<AddressConflict> Registration::conflicts() const { return impl_->conflicts(); }
bool Registration::is_registered() const { return impl_->is_registered(); }
const std::string& Registration::last_error() const { return impl_->last_error_; }

}  // namespace margay::startup
