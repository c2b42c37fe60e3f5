#include "ctl/verbs/document.h"

#include <optional>

#include "base/core/text.h"

namespace margay::verbs {
namespace {

using Positions = Origin::Positions;

constexpr int kListDepthMax = 4;  // Lists in Lists

// "a.b[3]" around "a.b[3].c"; "" around "a"; nullopt around "".
std::optional<std::string_view> around(std::string_view path) {
  if (path.empty()) return std::nullopt;
  const std::size_t cut = path.find_last_of(".[");
  return cut == std::string_view::npos ? std::string_view() : path.substr(0, cut);
}

std::string beneath(std::string_view prefix, std::string_view path) {
  if (prefix.empty()) return std::string(path);
  return path.empty() ? std::string(prefix) : concat(prefix, '.', path);
}

struct Place {
  const std::string& source;
  std::shared_ptr<const Positions> positions;
  std::string prefix;
};

bool is_list(const json::Value& value) {
  return value.string_at({"kind"}).ends_with("List") && value.find("items") != nullptr &&
         value.find("items")->as_array() != nullptr;
}

// Takes `document` apart when it is a List.
void add(Documents& out, json::Value object, const Place& at, int depth) {
  if (!is_list(object) || depth == kListDepthMax) {
    out.documents.push_back({std::move(object), Origin(at.source, at.positions, at.prefix)});
    return;
  }
  json::Array& items = *object.find("items")->as_array();
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Place item{at.source, at.positions, concat(beneath(at.prefix, "items"), '[', i, ']')};
    add(out, std::move(items[i]), item, depth + 1);
  }
}

// "line 3, column 7: text" of a parser as "source:3:7: text".
std::string parser_problem(const std::string& source, std::string_view message) {
  const auto line = split_once(message, ',');
  if (!message.starts_with("line ") || !line) return concat(source, ": ", message);
  const auto rest = split_once(line->second, ':');
  constexpr std::string_view kColumn = " column ";
  if (!rest || !rest->first.starts_with(kColumn)) return concat(source, ": ", message);
  return concat(source, ':', line->first.substr(5), ':', rest->first.substr(kColumn.size()), ':', rest->second);
}

}  // namespace

std::string Origin::place(std::string_view path) const {
  const std::string whole = beneath(prefix_, path);
  for (std::optional<std::string_view> at = whole; at; at = around(*at)) {
    const auto position = positions_->find(*at);
    if (position != positions_->end()) return concat(source_, ':', position->second.line, ':', position->second.column);
  }
  return source_;
}

std::string Origin::describe(const FieldError& error) const {
  if (error.path.empty()) return concat(place(""), ": ", error.message);
  return concat(place(error.path), ": ", error.path, ": ", error.message);
}

Documents parse_documents(const std::vector<Source>& sources) {
  Documents out;
  for (const Source& source : sources) {
    auto parsed = json::parse_yaml(source.text);
    if (!parsed.ok()) {
      out.problems.push_back(parser_problem(source.name, parsed.error().message));
      continue;
    }
    for (json::YamlDocument& document : *parsed) {
      const auto positions = std::make_shared<const Positions>(std::move(document.positions));
      add(out, std::move(document.value), Place{source.name, positions, ""}, 0);
    }
  }
  return out;
}

}  // namespace margay::verbs
