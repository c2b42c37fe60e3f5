#include "policy/index/set_index.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <set>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"
#include "policy/index/member_log.h"
#include "policy/index/node_index.h"
#include "policy/index/service_index.h"
#include "policy/index/set_items.h"
#include "policy/index/set_members.h"

namespace margay::policy {
namespace {

Members difference(const Members& a, const Members& b) {
  Members out;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

}  // namespace

class SetIndex::Impl {
 public:
  explicit Impl(Options options)
      : labels_([this](SelectorId set, ItemId item, bool is_matching) { match_changed(set, item, is_matching); }),
        members_(items_, labels_, options.suppress_nested) {}

  void put_item(ItemId id, const SetItem& item) {
    put_content(id, items_.content_of(item));
    labels_.put_item(id, item.labels, std::vector<std::string_view>(item.parents.begin(), item.parents.end()));
  }

  void remove_item(ItemId id) {
    labels_.remove_item(id);
    items_.put(id, ItemContent());
  }

  void put_parent(std::string_view name, const StringMap& labels) { labels_.put_parent(name, labels); }
  void remove_parent(std::string_view name) { labels_.remove_parent(name); }
  void put_slice(const std::string& key, const model::EndpointSlice& slice) { services_.put_slice(key, slice); }
  void remove_slice(const std::string& key) { services_.remove_slice(key); }
  void put_node(const std::string& name, const StringMap& labels, const std::vector<IpAddress>& addresses) {
    nodes_.put_node(name, labels, addresses);
  }
  void remove_node(const std::string& name) { nodes_.remove_node(name); }

  void add_set(const IpSetId& id, const SetSource& source) {
    const auto [at, is_new] = by_id_.try_emplace(id);
    if (is_new) {
      at->second = take_number();
      create(at->second, id, source);
    }
    ++set(at->second).users;
  }

  void share_set(const IpSetId& id) {
    const auto at = by_id_.find(id);
    MARGAY_CHECK(at != by_id_.end());
    ++set(at->second).users;
  }

  // It goes with the next take(), unless it is added again until then.
  void remove_set(const IpSetId& id) {
    const auto at = by_id_.find(id);
    MARGAY_CHECK(at != by_id_.end() && set(at->second).users > 0);
    if (--set(at->second).users == 0) mark(at->second);
  }

  std::map<IpSetId, IpSetDelta> take() {
    for (const std::string& service : services_.take_changed()) {
      const auto sets = sets_by_service_.find(service);
      if (sets == sets_by_service_.end()) continue;
      for (const SelectorId number : sets->second) mark(number);
    }
    if (nodes_.take_changed()) {
      for (const SelectorId number : node_sets_) mark(number);
    }
    std::map<IpSetId, IpSetDelta> out;
    for (const SelectorId number : std::exchange(changed_, {})) {
      set(number).is_changed = false;
      const IpSetId id = set(number).id;
      if (std::optional<IpSetDelta> delta = take_one(number)) out.emplace(id, *std::move(delta));
    }
    return out;
  }

  [[nodiscard]] Members members_of(const IpSetId& id) const {
    const auto at = by_id_.find(id);
    if (at == by_id_.end() || set(at->second).users == 0) return {};
    return members_of(at->second);
  }

 private:
  enum class Content { kNets, kNamedPort, kService, kNodes };
  struct Set {
    IpSetId id;
    Content content = Content::kNets;
    ItemPort port;  // kNamedPort: name and protocol
    std::string service;
    bool with_ports = false;
    std::unique_ptr<const selector::Selector> nodes;  // kNodes
    std::size_t users = 0;
    bool is_changed = false;    // stands in changed_
    bool is_given_out = false;  // before that no change is of interest: it comes whole
    MemberLog log;              // since it was given out; unless it is whole
    Members given;              // if it is

    // Looked through as a whole, and compared with what was given out.
    [[nodiscard]] bool is_whole() const { return content == Content::kService || content == Content::kNodes; }

    [[nodiscard]] IpSetKind kind() const {
      const bool has_ports = content == Content::kNamedPort || (content == Content::kService && with_ports);
      return has_ports ? IpSetKind::kPorts : IpSetKind::kNets;
    }
  };

  Set& set(SelectorId number) { return sets_[number.value()]; }
  [[nodiscard]] const Set& set(SelectorId number) const { return sets_[number.value()]; }

  void mark(SelectorId number) {
    if (!std::exchange(set(number).is_changed, true)) changed_.push_back(number);
  }

  SelectorId take_number() {
    if (free_.empty()) {
      sets_.emplace_back();
      return SelectorId(static_cast<std::uint32_t>(sets_.size() - 1));
    }
    const SelectorId number = free_.back();
    free_.pop_back();
    return number;
  }

  void create(SelectorId number, const IpSetId& id, const SetSource& source) {
    Set& made = set(number);
    made.id = id;
    mark(number);
    if (const auto* nets = std::get_if<SelectorSource>(&source)) {
      labels_.put_selector(number, nets->selector);
    } else if (const auto* ports = std::get_if<NamedPortSource>(&source)) {
      made.content = Content::kNamedPort;
      made.port = {.name = SharedText(ports->port_name), .protocol = ports->protocol, .port = {}};
      labels_.put_selector(number, ports->selector);
    } else if (const auto* nodes = std::get_if<NodesSource>(&source)) {
      made.content = Content::kNodes;
      made.nodes = std::make_unique<const selector::Selector>(nodes->selector);
      node_sets_.insert(number);
    } else {
      const auto& service = std::get<ServiceSource>(source);
      made.content = Content::kService;
      made.service = concat(service.name_space, "/", service.name);
      made.with_ports = service.with_ports;
      sets_by_service_[made.service].insert(number);
    }
  }

  void destroy(SelectorId number) {
    Set& gone = set(number);
    gone.is_given_out = false;
    if (gone.content == Content::kService) {
      const auto siblings = sets_by_service_.find(gone.service);
      siblings->second.erase(number);
      if (siblings->second.empty()) sets_by_service_.erase(siblings);
    } else if (gone.content == Content::kNodes) {
      node_sets_.erase(number);
    } else {
      labels_.remove_selector(number);
    }
    by_id_.erase(gone.id);
    gone = Set();
    free_.push_back(number);
  }

  [[nodiscard]] Members members_of(SelectorId number) const {
    const Set& of = set(number);
    switch (of.content) {
      case Content::kNets: return members_.nets_of(number);
      case Content::kNamedPort: return members_.ports_of(number, of.port);
      case Content::kService: return services_.members_of(of.service, of.with_ports);
      case Content::kNodes: return nodes_.members_of(*of.nodes);
    }
    return {};
  }

  // What whoever takes it does not know yet.
  std::optional<IpSetDelta> take_one(SelectorId number) {
    Set& of = set(number);
    if (of.users > 0) return of.is_given_out ? update_of(of, number) : give_out(of, number);
    const bool was_given_out = of.is_given_out;
    const IpSetKind kind = of.kind();
    destroy(number);
    if (!was_given_out) return std::nullopt;
    return IpSetDelta{.what = IpSetDelta::What::kRemove, .kind = kind, .added = {}, .removed = {}};
  }

  IpSetDelta give_out(Set& of, SelectorId number) {
    IpSetDelta out{.what = IpSetDelta::What::kCreate, .kind = of.kind(), .added = members_of(number), .removed = {}};
    of.is_given_out = true;
    if (of.is_whole()) of.given = out.added;
    return out;
  }

  std::optional<IpSetDelta> update_of(Set& of, SelectorId number) {
    IpSetDelta out{.what = IpSetDelta::What::kUpdate, .kind = of.kind(), .added = {}, .removed = {}};
    if (of.is_whole()) {
      Members now = members_of(number);
      out.added = difference(now, of.given);
      out.removed = difference(of.given, now);
      of.given = std::move(now);
    } else {
      of.log.drain(out);
    }
    if (out.added.empty() && out.removed.empty()) return std::nullopt;
    return out;
  }

  void match_changed(SelectorId number, ItemId item, bool is_matching) {
    Set& of = set(number);
    if (!of.is_given_out) return;
    mark(number);
    if (of.content == Content::kNets) {
      is_matching ? members_.nets_came(number, item, of.log) : members_.nets_left(number, item, of.log);
    } else {
      is_matching ? members_.ports_came(number, item, of.port, of.log)
                  : members_.ports_left(number, item, of.port, of.log);
    }
  }

  // For all sets that the item is in, it leaves with what it had and comes back with what it has.
  void put_content(ItemId id, ItemContent content) {
    if (items_.at(id) == content) return;
    for (const SelectorId number : labels_.selectors_of(id)) match_changed(number, id, false);
    items_.put(id, std::move(content));
    for (const SelectorId number : labels_.selectors_of(id)) match_changed(number, id, true);
  }

  LabelIndex labels_;
  SetItems items_;
  SetMembers members_;
  ServiceIndex services_;
  NodeIndex nodes_;
  std::vector<Set> sets_;  // by SelectorId
  std::vector<SelectorId> free_;
  std::map<IpSetId, SelectorId> by_id_;
  std::map<std::string, std::set<SelectorId>> sets_by_service_;
  std::set<SelectorId> node_sets_;
  std::vector<SelectorId> changed_;
};

SetIndex::SetIndex(Options options) : impl_(std::make_unique<Impl>(options)) {}
SetIndex::~SetIndex() = default;

void SetIndex::put_item(ItemId id, const SetItem& item) { impl_->put_item(id, item); }
void SetIndex::remove_item(ItemId id) { impl_->remove_item(id); }
void SetIndex::put_parent(std::string_view name, const StringMap& labels) { impl_->put_parent(name, labels); }
void SetIndex::remove_parent(std::string_view name) { impl_->remove_parent(name); }
void SetIndex::put_slice(const std::string& key, const model::EndpointSlice& slice) { impl_->put_slice(key, slice); }
void SetIndex::remove_slice(const std::string& key) { impl_->remove_slice(key); }
void SetIndex::put_node(const std::string& name, const StringMap& labels, const std::vector<IpAddress>& addresses) {
  impl_->put_node(name, labels, addresses);
}
void SetIndex::remove_node(const std::string& name) { impl_->remove_node(name); }
void SetIndex::add_set(const IpSetId& id, const SetSource& source) { impl_->add_set(id, source); }
void SetIndex::share_set(const IpSetId& id) { impl_->share_set(id); }
void SetIndex::remove_set(const IpSetId& id) { impl_->remove_set(id); }
std::map<IpSetId, IpSetDelta> SetIndex::take() { return impl_->take(); }
std::vector<IpSetMember> SetIndex::members_of(const IpSetId& id) const { return impl_->members_of(id); }

}  // namespace margay::policy
