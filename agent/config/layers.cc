#include "agent/config/layers.h"

#include <utility>

#include "agent/config/config_file.h"
#include "base/core/text.h"
#include "datastore/selector/selector.h"

namespace margay::config {
namespace {

// Of the connection to the datastore and of Calico's own programs: other flags and variables say that here.
bool is_foreign(std::string_view name) {
  const std::string lower = to_lower(name);
  for (const std::string_view prefix : {"etcd", "typha"}) {
    if (lower.starts_with(prefix)) return true;
  }
  for (const std::string_view other : {"datastoretype", "felixhostname", "clusterguid", "clustertype", "calicoversion",
                                       "debugbpfcgroupv2", "variant"}) {
    if (lower == other) return true;
  }
  return false;
}

struct Given {
  Source source;
  std::string_view name;
  std::string_view text;
};

void add_text(Layer& layer, const Given& given) {
  if (given.text.empty() || is_foreign(given.name)) return;
  const Setting* setting = find_local(given.name);
  if (setting == nullptr) {
    layer.problems.push_back({Problem::Kind::kUnknown, given.source, std::string(given.name), std::string(given.text),
                              "there is no such setting"});
    return;
  }
  auto value = parse_text(*setting, given.text);
  if (value.ok()) value = canonical(*setting, *value);
  if (!value.ok()) {
    layer.problems.push_back({Problem::Kind::kBadValue, given.source, std::string(setting->name),
                              std::string(given.text), value.error().message});
    return;
  }
  layer.sayings.insert_or_assign(std::string(setting->name), Saying{given.source, std::move(value).value()});
}

bool is_empty(const json::Value& value) {
  return value.is_null() || (value.as_string() != nullptr && value.as_string()->empty());
}

Source source_of(const SettingsObject& object, Source::Kind kind) {
  return Source{kind, concat("FelixConfiguration ", object.name)};
}

Problem selector_problem(const SettingsObject& object, std::string message) {
  return {Problem::Kind::kBadSelector, source_of(object, Source::Kind::kSelector), "nodeSelector", object.node_selector,
          std::move(message)};
}

}  // namespace

Layer layer_of_environment(const std::map<std::string, std::string>& variables) {
  constexpr std::string_view kPrefix = "felix_";
  Layer layer;
  for (const auto& [name, text] : variables) {
    if (!to_lower(name).starts_with(kPrefix)) continue;
    add_text(layer, {Source{Source::Kind::kEnvironment, name}, std::string_view(name).substr(kPrefix.size()), text});
  }
  return layer;
}

Layer layer_of_file(const std::string& path, std::string_view text) {
  Layer layer;
  const FileContent content = parse_config_file(text);
  const Source source{Source::Kind::kFile, path};
  for (const std::size_t line : content.bad_lines) {
    layer.problems.push_back({Problem::Kind::kBadFile, source, "", concat("line ", line),
                              concat("line ", line, " is not NAME = VALUE; it is passed over")});
  }
  for (const FileEntry& entry : content.entries) add_text(layer, {source, entry.name, entry.value});
  return layer;
}

Layer layer_of_object(const SettingsObject& object, Source::Kind kind) {
  Layer layer;
  const Source source = source_of(object, kind);
  for (const auto& [name, value] : object.fields) {
    if (is_empty(value)) continue;
    const Setting* setting = find_setting(name);
    if (setting == nullptr) {
      layer.problems.push_back({Problem::Kind::kUnknown, source, name, text_of(value), "there is no such setting"});
      continue;
    }
    auto read = canonical(*setting, value);
    if (!read.ok()) {
      layer.problems.push_back({Problem::Kind::kBadValue, source, name, text_of(value), read.error().message});
      continue;
    }
    layer.sayings.emplace(name, Saying{source, std::move(read).value()});
  }
  return layer;
}

std::optional<Source::Kind> concern_of(const SettingsObject& object, std::string_view node_name,
                                       const StringMap& node_labels, std::vector<Problem>& problems) {
  constexpr std::string_view kNodePrefix = "node.";
  const bool is_global = object.name == "default";
  if (is_global || object.name.starts_with(kNodePrefix)) {
    const bool is_ours = is_global || std::string_view(object.name).substr(kNodePrefix.size()) == node_name;
    if (!is_ours) return std::nullopt;
    if (!object.node_selector.empty()) {
      problems.push_back(selector_problem(object, "the name says which nodes the object is for; it is not looked at"));
    }
    return is_global ? Source::Kind::kGlobal : Source::Kind::kNode;
  }
  if (object.node_selector.empty()) {
    problems.push_back(selector_problem(object, "there is none: the object is for no node"));
    return std::nullopt;
  }
  const auto selector = selector::Selector::parse(object.node_selector);
  if (!selector.ok()) {
    problems.push_back(selector_problem(object, concat(selector.error().message, "; the object is for no node")));
    return std::nullopt;
  }
  if (!selector->matches(node_labels)) return std::nullopt;
  return Source::Kind::kSelector;
}

}  // namespace margay::config
