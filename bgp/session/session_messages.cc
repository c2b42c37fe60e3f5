// What arrives at a SessionDriver.
#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "bgp/session/session_driver.h"
#include "bgp/wire/decode.h"

namespace margay::bgp::session {
namespace {

constexpr std::size_t kHexBytesMax = 512;

std::string hex(bytes::View bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const bool is_cut = bytes.size() > kHexBytesMax;
  std::string text;
  for (const std::uint8_t byte : bytes.first(std::min(bytes.size(), kHexBytesMax))) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  if (is_cut) text.append("…");
  return text;
}

std::string_view to_string(FaultAction action) {
  switch (action) {
    case FaultAction::kIgnore: return "ignored";
    case FaultAction::kDiscardAttribute: return "attribute discarded";
    case FaultAction::kTreatAsWithdraw: return "treated as withdrawal";
  }
  return "";
}

}  // namespace

void SessionDriver::on_bytes(fsm::ConnectionId id, const std::shared_ptr<Link>& link, bytes::View bytes) {
  if (session_ == id) last_received_ = now();
  received_.bytes += bytes.size();
  gave_rib_work_ = false;
  auto error = link->framer.feed(bytes, link->context, [&](MessageType type, bytes::View message) {
    on_message(id, *link, type, message);
    return links_.contains(id);
  });
  if (error) bad_message(id, *std::move(error), bytes::view_of(link->framer.bad_bytes()));
  if (gave_rib_work_ && events_.on_work) events_.on_work();
}

void SessionDriver::on_message(fsm::ConnectionId id, Link& link, MessageType type, bytes::View message) {
  ++received_.total;
  switch (type) {
    case MessageType::kUpdate: ++received_.updates; return on_update(id, link, message);
    case MessageType::kKeepalive: ++received_.keepalives; return step(fsm::KeepaliveReceived{id});
    case MessageType::kOpen: ++received_.opens; return on_open(id, message);
    case MessageType::kNotification: ++received_.notifications; return on_notification(id, message);
    case MessageType::kRouteRefresh: ++received_.refreshes; return on_route_refresh(id, message);
  }
}

void SessionDriver::on_open(fsm::ConnectionId id, bytes::View message) {
  auto open = decode_open(message);
  if (!open.ok()) return bad_message(id, std::move(open).error(), message);
  step(fsm::OpenReceived{id, std::move(open).value()});
}

void SessionDriver::on_notification(fsm::ConnectionId id, bytes::View message) {
  auto notification = decode_notification(message);
  if (!notification.ok()) return bad_message(id, std::move(notification).error(), message);
  parts_.log.info("notification received", {{"notification", notification->to_string()}});
  step(fsm::NotificationReceived{id, std::move(notification).value()});
}

// The path that millions of routes take.
void SessionDriver::on_update(fsm::ConnectionId id, const Link& link, bytes::View message) {
  if (!machine_.note_data(id, now())) return step(fsm::DataReceived{id, MessageType::kUpdate});
  auto decoded = decode_update(message, link.context, update_);
  if (!decoded.ok()) return bad_message(id, std::move(decoded).error(), message);
  if (!update_.faults.empty()) count_faults(message);
  parts_.rib.receive(peer_, update_);
  gave_rib_work_ = true;
  if (update_.end_of_rib && events_.on_end_of_rib) events_.on_end_of_rib(*update_.end_of_rib);
}

void SessionDriver::on_route_refresh(fsm::ConnectionId id, bytes::View message) {
  if (!machine_.note_data(id, now())) return step(fsm::DataReceived{id, MessageType::kRouteRefresh});
  auto refresh = decode_route_refresh(message);
  if (!refresh.ok()) return bad_message(id, std::move(refresh).error(), message);
  const auto* const known = std::get_if<RouteRefresh>(&refresh.value());
  if (known == nullptr || !link_speaks(id, known->family)) return;
  parts_.rib.receive(peer_, *known);
  gave_rib_work_ = true;
}

bool SessionDriver::link_speaks(fsm::ConnectionId id, Family family) const {
  const auto found = links_.find(id);
  return found != links_.end() && found->second->context.families[family];
}

void SessionDriver::bad_message(fsm::ConnectionId id, DecodeError error, bytes::View message) {
  bad_bytes_ = hex(message);
  parts_.log.warn("bad message", {{"what", error.what}, {"bytes", bad_bytes_}});
  step(fsm::BadMessage{id, std::move(error)});
  bad_bytes_.clear();  // the machine had given up that connection already
}

// RFC 7606 §8: what was wrong, with the whole message, so that somebody can find its origin.
void SessionDriver::count_faults(bytes::View message) {
  for (const Fault& fault : update_.faults) ++faults_[concat(to_string(fault.action), ": ", fault.what)];
  const auto suppressed = fault_log_.admit(now());
  if (!suppressed) return;
  const Fault& worst = *std::max_element(update_.faults.begin(), update_.faults.end(),
                                         [](const Fault& a, const Fault& b) { return a.action < b.action; });
  parts_.log.warn("faulty update", {{"what", worst.what},
                                    {"action", to_string(worst.action)},
                                    {"suppressed", *suppressed},
                                    {"bytes", hex(message)}});
}

}  // namespace margay::bgp::session
