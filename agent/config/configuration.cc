#include "agent/config/configuration.h"

#include <algorithm>
#include <utility>

#include "agent/config/layers.h"
#include "agent/config/setting.h"
#include "base/core/check.h"
#include "base/core/text.h"
#include "datastore/codec/codec.h"

namespace margay::config {
namespace {

// All that is said of a setting, the strongest last; the default, if there is one, first.
using Sayings = std::map<std::string, std::vector<Saying>, std::less<>>;

const Saying* winner_of(const Sayings& sayings, std::string_view name) {
  const auto found = sayings.find(name);
  return found == sayings.end() || found->second.empty() ? nullptr : &found->second.back();
}

json::Value default_of(const Setting& setting) {
  if (setting.fallback.empty()) return {};
  auto value = parse_text(setting, setting.fallback);
  if (value.ok()) value = canonical(setting, *value);
  MARGAY_CHECK(value.ok());  // the table is ours
  return std::move(value).value();
}

bool is_object(Source::Kind kind) {
  return kind == Source::Kind::kGlobal || kind == Source::Kind::kSelector || kind == Source::Kind::kNode;
}
bool is_local(Source::Kind kind) { return kind == Source::Kind::kFile || kind == Source::Kind::kEnvironment; }

std::shared_ptr<const Settings> settings_of(const Sayings& sayings) {
  json::Value object;
  json::Object& spec = object["spec"].make_object();
  for (const auto& [name, all] : sayings) {
    if (!all.empty() && !all.back().value.is_null()) spec[name] = all.back().value;
  }
  json::Document document;
  const auto view = document.parse(json::dump(object));
  MARGAY_CHECK(view.ok());
  model::FelixConfiguration decoded;
  // No errors: each value has been through this alone.
  static_cast<void>(codec::decode(*view, decoded));
  return std::make_shared<const Settings>(std::move(decoded.spec));
}

}  // namespace

FieldErrors decode(json::View object, SettingsObject& out) {
  out = {};
  out.name = object["metadata"]["name"].string().value_or("");
  for (const auto& [name, value] : object["spec"].members()) {
    if (name == "nodeSelector") {
      out.node_selector = value.string().value_or("");
    } else {
      out.fields.emplace(name, value.to_value());
    }
  }
  if (!out.name.empty()) return {};
  return {{FieldError::Kind::kRequired, "metadata.name", "is required"}};
}

std::string Source::to_string() const { return kind == Kind::kDefault ? "default" : place; }

std::string_view to_string(Problem::Kind kind) {
  switch (kind) {
    case Problem::Kind::kBadValue: return "BadValue";
    case Problem::Kind::kUnknown: return "UnknownSetting";
    case Problem::Kind::kNotHonoured: return "NotHonoured";
    case Problem::Kind::kOverridden: return "Overridden";
    case Problem::Kind::kBadSelector: return "BadSelector";
    case Problem::Kind::kBadFile: return "BadFile";
  }
  return "";
}

std::string Problem::to_string() const {
  std::string text = source.to_string();
  if (!setting.empty()) text += concat(": ", setting);
  if (!value.empty()) text += concat(" = ", value);
  return text + ": " + message;
}

bool Change::touches(std::initializer_list<std::string_view> names) const {
  return std::any_of(names.begin(), names.end(), [this](std::string_view name) { return changed.contains(name); });
}

class Configuration::Impl {
 public:
  explicit Impl(std::string node_name) : node_name_(std::move(node_name)) {
    for (const Setting& setting : settings()) defaults_.emplace(setting.name, default_of(setting));
  }

  std::string node_name_;
  StringMap node_labels_;
  Layer environment_, file_;
  std::map<std::string, SettingsObject> objects_;
  bool is_dirty_ = true;

  Change take();
  [[nodiscard]] json::Value origins() const;
  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }

 private:
  void add(const Layer& layer, Sayings& sayings, std::vector<Problem>& problems) const;
  [[nodiscard]] Sayings gather(std::vector<Problem>& problems) const;
  void look_at(const Setting& setting, const std::vector<Saying>& all, std::vector<Problem>& problems) const;

  std::map<std::string, json::Value, std::less<>> defaults_;
  Sayings sayings_;
  std::shared_ptr<const Settings> settings_;
  std::vector<Problem> problems_;  // sorted
};

void Configuration::Impl::add(const Layer& layer, Sayings& sayings, std::vector<Problem>& problems) const {
  for (const auto& [name, saying] : layer.sayings) sayings[name].push_back(saying);
  problems.insert(problems.end(), layer.problems.begin(), layer.problems.end());
}

Sayings Configuration::Impl::gather(std::vector<Problem>& problems) const {
  Sayings sayings;
  for (const auto& [name, value] : defaults_) {
    if (!value.is_null()) sayings[name].push_back({Source{}, value});
  }
  std::map<std::string, Source::Kind> concerned;
  for (const auto& [name, object] : objects_) {
    if (const auto kind = concern_of(object, node_name_, node_labels_, problems)) concerned.emplace(name, *kind);
  }
  for (const auto kind : {Source::Kind::kGlobal, Source::Kind::kSelector, Source::Kind::kNode}) {
    // Backwards: of equals the first name speaks last, and wins.
    for (auto each = concerned.rbegin(); each != concerned.rend(); ++each) {
      if (each->second == kind) add(layer_of_object(objects_.at(each->first), kind), sayings, problems);
    }
  }
  add(file_, sayings, problems);
  add(environment_, sayings, problems);
  return sayings;
}

// What is to be said of a setting that was set.
void Configuration::Impl::look_at(const Setting& setting, const std::vector<Saying>& all,
                                  std::vector<Problem>& problems) const {
  const Saying& winner = all.back();
  const json::Value& fallback = defaults_.find(setting.name)->second;
  const std::string name(setting.name);
  if (winner.source.kind != Source::Kind::kDefault && setting.effect != Effect::kActs && winner.value != fallback) {
    problems.push_back({Problem::Kind::kNotHonoured, winner.source, name, text_of(winner.value),
                        concat(setting.effect == Effect::kNotYet ? "it is not honoured yet: nothing acts on it"
                                                                 : "it has no meaning here: nothing acts on it",
                               setting.note.empty() ? "" : " (", setting.note, setting.note.empty() ? "" : ")")});
  }
  if (!is_local(winner.source.kind)) return;
  for (const Saying& other : all) {
    if (!is_object(other.source.kind) || other.value == winner.value) continue;
    problems.push_back({Problem::Kind::kOverridden, other.source, name, text_of(other.value),
                        concat(winner.source.to_string(), " says ", text_of(winner.value), ", which is used instead")});
  }
}

Change Configuration::Impl::take() {
  if (!is_dirty_) return {settings_, {}, {}};
  is_dirty_ = false;
  std::vector<Problem> problems;
  Sayings sayings = gather(problems);
  for (Problem& problem : problems) {
    if (problem.kind != Problem::Kind::kBadValue) continue;
    const Saying* used = winner_of(sayings, problem.setting);
    problem.message += used == nullptr
                           ? "; nothing is used instead"
                           : concat("; used instead: ", text_of(used->value), " (", used->source.to_string(), ")");
  }
  Change change;
  for (const Setting& setting : settings()) {
    const std::string name(setting.name);
    const Saying* before = winner_of(sayings_, name);
    const Saying* after = winner_of(sayings, name);
    const bool is_same =
        (before == nullptr) == (after == nullptr) && (before == nullptr || before->value == after->value);
    if (!is_same || settings_ == nullptr) change.changed.insert(name);
    if (after != nullptr) look_at(setting, sayings.find(name)->second, problems);
  }
  if (!change.changed.empty()) settings_ = settings_of(sayings);
  std::sort(problems.begin(), problems.end());
  std::set_difference(problems.begin(), problems.end(), problems_.begin(), problems_.end(),
                      std::back_inserter(change.new_problems));
  change.settings = settings_;
  sayings_ = std::move(sayings);
  problems_ = std::move(problems);
  return change;
}

json::Value Configuration::Impl::origins() const {
  json::Array list;
  for (const auto& [name, fallback] : defaults_) {
    const Setting* setting = find_setting(name);
    const Saying* winner = winner_of(sayings_, name);
    json::Object row;
    row["name"] = name;
    row["value"] = winner == nullptr ? json::Value() : winner->value;
    row["source"] = winner == nullptr ? "default" : winner->source.to_string();
    row["effect"] = to_string(setting->effect);
    row["default"] = fallback;
    json::Array overridden;
    if (winner != nullptr) {
      const std::vector<Saying>& all = sayings_.find(name)->second;
      for (std::size_t i = all.size() - 1; i > 0; --i) {
        json::Object other;
        other["source"] = all[i - 1].source.to_string();
        other["value"] = all[i - 1].value;
        overridden.emplace_back(std::move(other));
      }
    }
    row["overridden"] = std::move(overridden);
    list.emplace_back(std::move(row));
  }
  return json::Value(std::move(list));
}

Configuration::Configuration(std::string node_name) : impl_(std::make_unique<Impl>(std::move(node_name))) {}
Configuration::~Configuration() = default;

void Configuration::set_environment(const std::map<std::string, std::string>& variables) {
  impl_->environment_ = layer_of_environment(variables);
  impl_->is_dirty_ = true;
}

void Configuration::set_file(const std::string& path, std::string_view text) {
  impl_->file_ = layer_of_file(path, text);
  impl_->is_dirty_ = true;
}

void Configuration::set_node_labels(const StringMap& labels) {
  if (impl_->node_labels_ == labels) return;
  impl_->node_labels_ = labels;
  impl_->is_dirty_ = true;
}

void Configuration::set_object(const std::string& name, std::optional<SettingsObject> object) {
  if (!object) {
    if (impl_->objects_.erase(name) == 0) return;
  } else {
    impl_->objects_.insert_or_assign(name, *std::move(object));
  }
  impl_->is_dirty_ = true;
}

Change Configuration::take() { return impl_->take(); }
const std::vector<Problem>& Configuration::problems() const { return impl_->problems(); }
json::Value Configuration::origins() const { return impl_->origins(); }

}  // namespace margay::config
