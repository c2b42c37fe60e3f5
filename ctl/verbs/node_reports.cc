#include "ctl/verbs/node_reports.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/core/check.h"
#include "base/core/text.h"
#include "base/core/time_text.h"

namespace margay::verbs {
namespace {

using json::Value;

constexpr std::string_view kOurLabel = "app.kubernetes.io/managed-by=netctl";
// Of a netctl that was ended before it could remove it.
constexpr Duration kLeftover = std::chrono::minutes(10);
// A server may end a watch before its time.
constexpr int kWatchesMax = 8;

class Inquiry {
 public:
  Inquiry(Session& session, Api& api, Duration wait)
      : session_(session),
        api_(api),
        kind_(*session.kind_of("projectcalico.org/v3", "CalicoNodeStatus", false)),
        end_(session.io().wall_now() + wait),
        mark_(
            std::chrono::duration_cast<std::chrono::milliseconds>(session.io().wall_now().time_since_epoch()).count()),
        wait_(wait) {}
  ~Inquiry() {
    for (const auto& [name, node] : asked_) (void)api_.remove(kind_, {"", name}, {});
  }
  Inquiry(const Inquiry&) = delete;
  Inquiry& operator=(const Inquiry&) = delete;

  Status ask(const std::string& node) {
    const std::string name = concat("netctl-", mark_, "-", node);
    const Value object = json::Object{
        {"apiVersion", "projectcalico.org/v3"},
        {"kind", "CalicoNodeStatus"},
        {"metadata",
         json::Object{{"name", name}, {"labels", json::Object{{"app.kubernetes.io/managed-by", "netctl"}}}}},
        {"spec",
         json::Object{
             {"node", node}, {"classes", json::Array{"Agent", "BGP"}}, {"updatePeriodSeconds", std::int64_t{0}}}}};
    const auto made = api_.create(kind_, "", object, {});
    if (!made.ok()) return Error{made.error().code, concat("caliconodestatus/", name, ": ", describe(made.error()))};
    asked_[name] = node;
    return ok_status();
  }

  Status wait() {
    for (int i = 0; i < kWatchesMax; ++i) {
      auto listed = api_.list(kind_, "", {.label_selector = std::string(kOurLabel)});
      if (!listed.ok()) return listed.error().to_error();
      for (const Value& object : listed->items) take(object);
      if (i == 0) remove_leftovers(listed->items);
      const Duration left = end_ - session_.io().wall_now();
      if (is_done() || left <= Duration(0)) return ok_status();
      const auto watched = api_.watch(kind_, "",
                                      {.label_selector = std::string(kOurLabel),
                                       .field_selector = {},
                                       .resource_version = listed->resource_version,
                                       .allow_bookmarks = false,
                                       .server_timeout = std::max<Duration>(left, std::chrono::seconds(1))},
                                      [this](const kube::WatchEvent& event) {
                                        if (const auto object = json::parse(event.object_json); object.ok())
                                          take(*object);
                                        return !is_done();
                                      });
      if (!watched.ok() && watched.error().code == ErrorCode::kCancelled) return watched.error().to_error();
      if (is_done()) return ok_status();
    }
    return ok_status();
  }

  [[nodiscard]] std::vector<node::NodeReport> reports(const std::vector<std::string>& nodes) const {
    std::vector<node::NodeReport> out;
    for (const std::string& name : nodes) {
      const auto found = reports_.find(name);
      if (found != reports_.end()) {
        out.push_back(found->second);
        continue;
      }
      node::NodeReport& report = out.emplace_back();
      report.node = name;
      report.problem = concat("no answer within ", format_duration(wait_));
    }
    return out;
  }

 private:
  void take(const Value& object) {
    const auto asked = asked_.find(object.string_at({"metadata", "name"}));
    if (asked == asked_.end() || object.string_at({"status", "lastUpdated"}).empty()) return;
    reports_[asked->second] = node::report_of(object);
  }
  [[nodiscard]] bool is_done() const { return reports_.size() == asked_.size(); }

  void remove_leftovers(const std::vector<Value>& objects) {
    for (const Value& object : objects) {
      const std::string name(object.string_at({"metadata", "name"}));
      const auto made = parse_timestamp(object.string_at({"metadata", "creationTimestamp"}));
      if (asked_.contains(name) || !made.ok() || session_.io().wall_now() - *made < kLeftover) continue;
      (void)api_.remove(kind_, {"", name}, {});
    }
  }

  Session& session_;
  Api& api_;
  const schema::ResourceInfo& kind_;
  WallTime end_;
  std::int64_t mark_;
  Duration wait_;
  std::map<std::string, std::string, std::less<>> asked_;  // name of the object to node
  std::map<std::string, node::NodeReport> reports_;        // by node
};

}  // namespace

Result<std::vector<node::NodeReport>> reports_by_api(Session& session, const std::vector<std::string>& nodes,
                                                     Duration wait) {
  MARGAY_ASSIGN_OR_RETURN(Api* const api, session.api());
  Inquiry inquiry(session, *api, wait);
  for (const std::string& node : nodes) MARGAY_RETURN_IF_ERROR(inquiry.ask(node));
  MARGAY_RETURN_IF_ERROR(inquiry.wait());
  return inquiry.reports(nodes);
}

Result<std::vector<std::string>> node_names(Session& session) {
  MARGAY_ASSIGN_OR_RETURN(Api* const api, session.api());
  const auto listed = api->list(*session.kind_of("v1", "Node", false), "", {});
  if (!listed.ok()) return listed.error().to_error();
  std::vector<std::string> names;
  for (const Value& node : listed->items) names.emplace_back(node.string_at({"metadata", "name"}));
  std::sort(names.begin(), names.end());
  return names;
}

bool has_server(Session& session) {
  const auto origin = session.server().origin();
  return origin.ok() || origin.error().code != ErrorCode::kNotFound;
}

}  // namespace margay::verbs
