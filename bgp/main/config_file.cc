#include "bgp/main/config_file.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/core/base64.h"
#include "base/core/text.h"
#include "base/json/view.h"
#include "datastore/codec/codec.h"
#include "datastore/codec/validate.h"
#include "datastore/model/key.h"
#include "datastore/schema/registry.h"

namespace margay::bgpd {
namespace {

constexpr std::string_view kSpeakerVersion = "margay.dev/v1";

// "a.b[3]" around "a.b[3].c"; "" around "a"; nullopt around "".
std::optional<std::string_view> around(std::string_view path) {
  if (path.empty()) return std::nullopt;
  const std::size_t cut = path.find_last_of(".[");
  return cut == std::string_view::npos ? std::string_view() : path.substr(0, cut);
}

// "line 3, column 7: text" of the parser as "file:3:7: text".
std::string parser_problem(const std::string& file, std::string_view message) {
  const auto line = split_once(message, ',');
  constexpr std::string_view kColumn = " column ";
  if (!message.starts_with("line ") || !line || !line->second.starts_with(kColumn)) {
    return concat(file, ": ", message);
  }
  const auto rest = split_once(line->second.substr(kColumn.size()), ':');
  if (!rest) return concat(file, ": ", message);
  return concat(file, ':', line->first.substr(5), ':', rest->first, ':', rest->second);
}

// Takes documents one by one and sorts them by kind.
class Sorter {
 public:
  Sorter(Documents& out, std::vector<std::string>& problems)
      : out_(out), problems_(problems), registry_(schema::make_registry()) {}

  void take(const json::Value& object, Origin origin) {
    const std::string_view version = object.string_at({"apiVersion"}), kind = object.string_at({"kind"});
    if (kind == "Speaker" && version == kSpeakerVersion) return take_speaker(object, std::move(origin));
    if (kind == "Secret" && version == "v1") return take_secret(object, origin);
    if (kind == "BGPPeer" && check(object, origin)) return keep(object, std::move(origin), out_.peers);
    if (kind == "BGPFilter" && check(object, origin)) return keep(object, std::move(origin), out_.filters);
    if (kind == "BGPConfiguration" && check(object, origin)) return take_configuration(object, std::move(origin));
    if (kind == "BGPPeer" || kind == "BGPFilter" || kind == "BGPConfiguration") return;
    problem(origin, "kind",
            concat("apiVersion ", quoted(version), ", kind ", quoted(kind),
                   " is not one of BGPConfiguration, BGPPeer, BGPFilter (projectcalico.org/v3), Secret (v1), Speaker (",
                   kSpeakerVersion, ")"));
  }

  [[nodiscard]] bool has_speaker() const { return has_speaker_; }

 private:
  void problem(const Origin& origin, std::string path, std::string message) {
    problems_.push_back(origin.describe({FieldError::Kind::kInvalid, std::move(path), std::move(message)}));
  }

  // Schema first; rules and texts of values only where the schema is content, as one mistake is told once.
  bool check(const json::Value& object, const Origin& origin) {
    const std::string_view version = object.string_at({"apiVersion"}), kind = object.string_at({"kind"});
    const schema::ResourceInfo* const info = registry_->by_kind(version, kind);
    const auto known = model::find_kind(version, kind);
    if (info == nullptr || !known) {
      problem(origin, "apiVersion", concat(quoted(version), " is not projectcalico.org/v3"));
      return false;
    }
    const schema::StructuralSchema& schema = registry_->schema(*info);
    FieldErrors errors = schema.validate(object);
    for (FieldError& error : schema.unknown_fields(object)) errors.push_back(std::move(error));
    if (errors.empty()) errors = codec::check(*known, object);
    if (object.string_at({"metadata", "name"}).empty()) {
      errors.push_back({FieldError::Kind::kRequired, "metadata.name", "is needed"});
    }
    for (const FieldError& error : errors) problems_.push_back(origin.describe(error));
    return errors.empty();
  }

  template <class T>
  static T decoded(const json::Value& object) {
    T out;
    json::Document document;
    const auto view = document.parse(json::dump(object));
    if (view.ok()) (void)codec::decode(*view, out);  // check() has decoded it before
    return out;
  }

  template <class T>
  void keep(const json::Value& object, Origin origin, std::map<std::string, Placed<T>>& into) {
    std::string name(object.string_at({"metadata", "name"}));
    if (into.contains(name)) return problem(origin, "metadata.name", concat(origin.object, " stands here twice"));
    into.emplace(std::move(name), Placed<T>{decoded<T>(object), std::move(origin)});
  }

  void take_configuration(const json::Value& object, Origin origin) {
    out_.configurations.push_back({decoded<model::BgpConfiguration>(object), std::move(origin)});
  }

  void take_speaker(const json::Value& object, Origin origin) {
    if (std::exchange(has_speaker_, true)) return problem(origin, "kind", "there is more than one Speaker");
    FieldErrors errors;
    out_.speaker.object = read_speaker(object, errors);
    for (const FieldError& error : errors) problems_.push_back(origin.describe(error));
    out_.speaker.origin = std::move(origin);
  }

  void take_secret(const json::Value& object, const Origin& origin) {
    auto& keys = out_.secrets[std::string(object.string_at({"metadata", "name"}))];
    const auto each = [&](std::string_view member, bool is_encoded) {
      const json::Value* const data = object.find(member);
      const json::Object* const entries = data == nullptr ? nullptr : data->as_object();
      if (entries == nullptr) return;
      for (const json::Member& entry : *entries) {
        const std::string* const text = entry.value.as_string();
        auto value = text == nullptr ? Result<std::string>(invalid("must be a string"))
                     : is_encoded    ? base64_decode(*text)
                                     : Result<std::string>(*text);
        if (!value.ok()) {
          problem(origin, concat(member, ".", entry.name), value.error().message);
        } else {
          keys[entry.name] = *value;
        }
      }
    };
    each("data", true);
    each("stringData", false);
  }

  Documents& out_;
  std::vector<std::string>& problems_;
  std::unique_ptr<schema::Registry> registry_;
  bool has_speaker_ = false;
};

std::string object_name(const json::Value& object) {
  const std::string_view kind = object.string_at({"kind"}), name = object.string_at({"metadata", "name"});
  return name.empty() ? std::string(kind) : concat(kind, "/", name);
}

}  // namespace

std::string Origin::describe(const FieldError& error) const {
  std::string place = file;
  for (std::optional<std::string_view> at = error.path; at; at = around(*at)) {
    const auto position = positions.find(*at);
    if (position == positions.end()) continue;
    place = concat(file, ':', position->second.line, ':', position->second.column);
    break;
  }
  if (error.path.empty()) return concat(place, ": ", object, ": ", error.message);
  return concat(place, ": ", object, ": ", error.path, ": ", error.message);
}

Documents parse_documents(const std::string& file, std::string_view text, std::vector<std::string>& problems) {
  Documents out;
  auto parsed = json::parse_yaml(text);
  if (!parsed.ok()) {
    problems.push_back(parser_problem(file, parsed.error().message));
    return out;
  }
  Sorter sorter(out, problems);
  for (json::YamlDocument& document : *parsed) {
    sorter.take(document.value, Origin{file, object_name(document.value), std::move(document.positions)});
  }
  if (!sorter.has_speaker()) {
    problems.push_back(concat(file, ": there is no object of kind Speaker (", kSpeakerVersion, ")"));
  }
  return out;
}

Loaded load_config(const std::string& path, const ReadFile& read_file) {
  Loaded loaded;
  const auto text = read_file(path);
  if (!text.ok()) {
    loaded.problems.push_back(text.error().message);
    return loaded;
  }
  const Documents documents = parse_documents(path, *text, loaded.problems);
  if (loaded.problems.empty()) loaded.config = translate(documents, read_file, loaded.problems);
  return loaded;
}

}  // namespace margay::bgpd
