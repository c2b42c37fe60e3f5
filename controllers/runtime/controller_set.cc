#include "controllers/runtime/controller_set.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"

namespace margay::controllers {

ControllerSet::ControllerSet(ControllerParts parts, const watch::WatchEnvironment& environment,
                             std::vector<ControllerEntry> entries)
    : parts_(std::move(parts)), environment_(environment), entries_(std::move(entries)) {}

void ControllerSet::apply(const Settings& settings) {
  std::vector<const ControllerEntry*> wanted;
  for (const ControllerEntry& entry : entries_) {
    if (settings.runs(entry.section)) wanted.push_back(&entry);
  }
  const bool is_same = cluster_ && std::equal(wanted.begin(), wanted.end(), running_.begin(), running_.end(),
                                              [](const auto* entry, const auto& each) { return entry == each.entry; });
  if (!is_same) rebuild(wanted);
  for (const Running& each : running_) each.controller->configure(settings);
  if (is_same) return;
  for (const Running& each : running_) each.controller->lead(is_leading_);
  cluster_->start();
}

void ControllerSet::rebuild(const std::vector<const ControllerEntry*>& wanted) {
  for (Running& each : running_) each.gauge.set(0);
  cluster_.reset();  // calls nobody any more
  running_.clear();
  cluster_.emplace(environment_, [this](bool is_in_sync) {
    for (const Running& each : running_) each.controller->on_turn(is_in_sync);
  });
  std::string names;
  for (const ControllerEntry* entry : wanted) {
    Running& made = running_.emplace_back(
        Running{entry, entry->make(parts_, *cluster_),
                parts_.metrics.gauge({"margay_controllers_running", "1: this controller runs", ""},
                                     {{"controller", entry->name}})});
    made.gauge.set(1);
    names += concat(names.empty() ? "" : ",", entry->name);
  }
  parts_.writer.log.info("controllers run", {{"controllers", names}});
}

void ControllerSet::lead(bool is_leading) {
  is_leading_ = is_leading;
  for (const Running& each : running_) each.controller->lead(is_leading);
}

bool ControllerSet::is_settled() const {
  return std::all_of(running_.begin(), running_.end(),
                     [](const Running& each) { return each.controller->is_settled(); });
}

std::vector<std::string> ControllerSet::running() const {
  std::vector<std::string> out;
  for (const Running& each : running_) out.push_back(each.entry->name);
  return out;
}

}  // namespace margay::controllers
