// The places that have a say, each as what it says of which setting. Internal to this folder.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/configuration.h"
#include "agent/config/setting.h"
#include "base/core/string_map.h"

namespace margay::config {

// What one place says of one setting, as objects are written.
struct Saying {
  Source source;
  json::Value value;
};

// A place's settings by the names of fields, and what was wrong with it.
struct Layer {
  std::map<std::string, Saying, std::less<>> sayings;
  std::vector<Problem> problems;
};

Layer layer_of_environment(const std::map<std::string, std::string>& variables);
Layer layer_of_file(const std::string& path, std::string_view text);
Layer layer_of_object(const SettingsObject& object, Source::Kind kind);

// How the object concerns the node: nullopt: not at all, or it cannot be read, which is a problem.
std::optional<Source::Kind> concern_of(const SettingsObject& object, std::string_view node_name,
                                       const StringMap& node_labels, std::vector<Problem>& problems);

}  // namespace margay::config
