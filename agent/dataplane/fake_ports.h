// FakePorts: drivers with state behind the seams of ports.h, and one common log of what was written in which order. Any
// of them can be told to fail. For tests; one thread.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "agent/dataplane/fake_backend.h"
#include "agent/dataplane/fake_node.h"
#include "agent/dataplane/fake_renderer.h"
#include "agent/dataplane/fake_tunnels.h"
#include "agent/dataplane/ports.h"
#include "base/core/text.h"

namespace margay::agent {

class FakeSets final : public SetPort {
 public:
  explicit FakeSets(FakeNode& node) : node_(node) {}
  void change(const std::string& name, const render::SetChange& change) override { due_[name] = change; }
  void set_settings(const model::FelixConfigurationSpec&) override {}
  void queue_resync() override { ++node_.resyncs["ipset"]; }
  dataplane::ApplyReport apply(TimePoint now) override {
    if (node_.failing.contains("ipset")) return node_.failure("ipset", now);
    return write(false);
  }
  dataplane::ApplyReport apply_removals(TimePoint) override { return write(true); }
  [[nodiscard]] ObjectCounts counts() const override { return {node_.sets.size(), node_.sets.size()}; }

 private:
  dataplane::ApplyReport write(bool is_removal) {
    dataplane::ApplyReport report;
    std::erase_if(due_, [&](const auto& entry) {
      if ((entry.second.what == render::SetChange::What::kRemove) != is_removal) return false;
      node_.log.push_back(concat(is_removal ? "remove set " : "set ", entry.first));
      is_removal ? void(node_.sets.erase(entry.first)) : void(node_.sets.insert(entry.first));
      ++report.updated;
      return true;
    });
    return report;
  }

  FakeNode& node_;
  std::map<std::string, render::SetChange> due_;
};

class FakeTable final : public TablePort {
 public:
  FakeTable(FakeNode& node, std::string name) : node_(node), name_(std::move(name)) {}
  void change(iptables::TableChange change) override {
    for (auto& [chain, rules] : change.chains) due_[chain] = rules != nullptr;
  }
  void set_settings(const model::FelixConfigurationSpec&) override {}
  void retry_refused() override { ++node_.retries; }
  void queue_resync() override { ++node_.resyncs[name_]; }
  dataplane::ApplyReport apply(TimePoint now) override {
    is_applied_ = !node_.failing.contains(name_);
    if (!is_applied_) return node_.failure(name_, now);
    dataplane::ApplyReport report;
    for (const auto& [chain, is_there] : std::exchange(due_, {})) {
      node_.log.push_back(concat(is_there ? "" : "remove ", name_, " ", chain));
      auto& chains = node_.chains[name_];
      is_there ? void(chains.insert(chain)) : void(chains.erase(chain));
      ++report.updated;
    }
    return report;
  }
  [[nodiscard]] bool is_applied() const override { return is_applied_; }
  [[nodiscard]] ObjectCounts counts() const override { return {}; }
  [[nodiscard]] std::size_t rule_count() const override { return node_.chains[name_].size(); }
  [[nodiscard]] const iptables::TableStatistics& statistics() const override { return statistics_; }

 private:
  FakeNode& node_;
  std::string name_;
  std::map<std::string, bool> due_;
  bool is_applied_ = true;
  iptables::TableStatistics statistics_;
};

class FakeSettings final : public SettingPort {
 public:
  explicit FakeSettings(FakeNode& node) : node_(node) {}
  void set_workload_interface(const std::string& name) override { due_.insert(name); }
  void forget_interface(const std::string& name) override {
    due_.erase(name);
    node_.settings.erase(name);
  }
  void set_forwarding(bool is_wanted) override { node_.is_forwarding = is_wanted; }
  [[nodiscard]] ObjectCounts counts() const override { return {node_.settings.size(), node_.settings.size()}; }
  void queue_resync() override { ++node_.resyncs["settings"]; }
  dataplane::ApplyReport apply(TimePoint now) override {
    if (node_.failing.contains("settings")) return node_.failure("settings", now);
    dataplane::ApplyReport report;
    for (const std::string& name : std::exchange(due_, {})) {
      node_.settings.insert(name);
      node_.log.push_back(concat("settings ", name));
      ++report.updated;
    }
    return report;
  }

 private:
  FakeNode& node_;
  std::set<std::string> due_;
};

class FakeNeighbours final : public NeighbourPort {
 public:
  explicit FakeNeighbours(FakeNode& node) : node_(node) {}
  void set(const NeighbourKey& key, const Mac& mac) override { node_.neighbours[key] = mac; }
  void remove(const NeighbourKey& key) override { node_.neighbours.erase(key); }
  void forget(IfIndex interface) override {
    std::erase_if(node_.neighbours, [interface](const auto& entry) { return entry.first.interface == interface; });
  }
  [[nodiscard]] ObjectCounts counts() const override { return {node_.neighbours.size(), node_.neighbours.size()}; }
  void queue_resync() override { ++node_.resyncs["neighbours"]; }
  dataplane::ApplyReport apply(TimePoint) override { return {}; }

 private:
  FakeNode& node_;
};

class FakeConntrack final : public ConntrackPort {
 public:
  explicit FakeConntrack(FakeNode& node) : node_(node) {}
  void forget(const IpAddress& address) override { due_.insert(address); }
  void queue_resync() override {}
  dataplane::ApplyReport apply(TimePoint now) override {
    if (due_.empty()) return {};
    if (node_.failing.contains("conntrack")) return node_.failure("conntrack", now);
    node_.forgotten.merge(std::exchange(due_, {}));
    node_.log.emplace_back("conntrack");
    dataplane::ApplyReport report;
    report.removed = 1;
    return report;
  }

 private:
  FakeNode& node_;
  std::set<IpAddress> due_;
};

// `renderer`: to look at what it was told.
inline Ports fake_ports(FakeNode& node, FakeRenderer** renderer) {
  Ports ports;
  auto made = std::make_unique<FakeRenderer>();
  *renderer = made.get();
  ports.renderer = std::move(made);
  ports.sets = std::make_unique<FakeSets>(node);
  ports.tables[{IpFamily::kV4, iptables::Table::kFilter}] = std::make_unique<FakeTable>(node, "filter v4");
  ports.tables[{IpFamily::kV6, iptables::Table::kFilter}] = std::make_unique<FakeTable>(node, "filter v6");
  ports.backend = std::make_unique<FakeBackend>(node);
  ports.settings = std::make_unique<FakeSettings>(node);
  ports.neighbours = std::make_unique<FakeNeighbours>(node);
  ports.conntrack = std::make_unique<FakeConntrack>(node);
  ports.tunnels = std::make_unique<FakeTunnels>(node);
  return ports;
}

}  // namespace margay::agent
