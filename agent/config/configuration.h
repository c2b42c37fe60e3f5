// Configuration: the settings of this node's agent, merged from all places that have a say, each with where it is from.
//
//   default < FelixConfiguration default < others with a nodeSelector that picks the node < FelixConfiguration
//   node.NAME < file < environment (FELIX_…)
//
// Of several objects whose nodeSelector picks the node the first in the order of names counts. Field by field: a field
// that cannot be read counts as absent and is a Problem; the next weaker place has its say.
//
// Level-based and pure: set_… at any time in any order, then take(). No clock, no files, no log.
// Thread: the control loop's. What take() hands out is immutable and may go anywhere.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/field_error.h"
#include "base/core/string_map.h"
#include "base/json/value.h"
#include "base/json/view.h"
#include "datastore/model/felix_configuration.h"

namespace margay::config {

// Every setting that has a default is given: its optional has a value.
using Settings = model::FelixConfigurationSpec;

// A FelixConfiguration as it arrives: its fields one by one, good or bad.
struct SettingsObject {
  std::string name;
  std::string node_selector;
  std::map<std::string, json::Value, std::less<>> fields;

  friend bool operator==(const SettingsObject&, const SettingsObject&) = default;
};
// For datastore/watch: no errors but those of a broken object; what is wrong with a field is found by Configuration.
FieldErrors decode(json::View object, SettingsObject& out);

// A place that has a say, from weak to strong.
struct Source {
  enum class Kind : std::uint8_t { kDefault, kGlobal, kSelector, kNode, kFile, kEnvironment };
  Kind kind = Kind::kDefault;
  std::string place;  // "FelixConfiguration gpu-nodes", "/etc/calico/felix.cfg", "FELIX_HEALTHPORT"; "" for the default

  // "default", or the place.
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const Source&, const Source&) = default;
};

struct Problem {
  enum class Kind : std::uint8_t {
    kBadValue,     // counts as absent
    kUnknown,      // no such setting
    kNotHonoured,  // set, and nothing acts on it
    kOverridden,   // an object says something else than a file or the environment, which win
    kBadSelector,  // the whole object counts as absent
    kBadFile,      // a line that cannot be read
  };
  Kind kind = Kind::kBadValue;
  Source source;
  std::string setting;
  std::string value;    // as it was written
  std::string message;  // a sentence for people: what is wrong, and what is used instead

  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const Problem&, const Problem&) = default;
};
// "BadValue", … : the reason of an Event.
std::string_view to_string(Problem::Kind kind);

struct Change {
  std::shared_ptr<const Settings> settings;
  std::set<std::string, std::less<>> changed;  // names of fields whose value is another; all of them the first time
  std::vector<Problem> new_problems;           // not there before

  [[nodiscard]] bool touches(std::initializer_list<std::string_view> names) const;
};

class Configuration {
 public:
  explicit Configuration(std::string node_name);
  ~Configuration();
  Configuration(const Configuration&) = delete;
  Configuration& operator=(const Configuration&) = delete;

  // All variables of the process will do: those that begin with FELIX_, in any case, count. Empty ones do not.
  void set_environment(const std::map<std::string, std::string>& variables);
  // felix.cfg: "Name = value" lines, [sections] without meaning, # and ; comments. "": there is no file.
  void set_file(const std::string& path, std::string_view text);
  void set_node_labels(const StringMap& labels);
  // nullopt: there is none of that name. Objects for other nodes may be handed in as well.
  void set_object(const std::string& name, std::optional<SettingsObject> object);

  // Nothing changed: no names, no problems, the same settings.
  Change take();

  // What stands, whether set or not, as of the last take().
  [[nodiscard]] const std::vector<Problem>& problems() const;
  // [{name, value, source, effect, default, overridden: [{source, value}]}] in the order of names.
  [[nodiscard]] json::Value origins() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::config
