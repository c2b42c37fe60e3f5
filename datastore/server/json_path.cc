#include "datastore/server/json_path.h"

#include <utility>

#include "base/core/text.h"

namespace margay::server {

class JsonPath::Parser {
 public:
  explicit Parser(std::string_view text) : text_(trim(text)) {
    if (text_.starts_with('{') && text_.ends_with('}')) text_ = text_.substr(1, text_.size() - 2);
    if (text_.starts_with('$')) text_.remove_prefix(1);
  }

  Result<std::vector<Step>> run() {
    while (!text_.empty()) {
      if (text_.front() == '.' && !text_.starts_with(".[")) {
        MARGAY_RETURN_IF_ERROR(member());
      } else {
        if (text_.front() == '.') text_.remove_prefix(1);
        MARGAY_RETURN_IF_ERROR(bracket());
      }
    }
    return std::move(steps_);
  }

 private:
  Status member() {
    text_.remove_prefix(1);
    std::string name;
    while (!text_.empty() && text_.front() != '.' && text_.front() != '[') {
      if (text_.front() == '\\' && text_.size() > 1) text_.remove_prefix(1);
      name.push_back(text_.front());
      text_.remove_prefix(1);
    }
    if (name.empty()) return steps_.empty() && text_.empty() ? ok_status() : Status(invalid("a field name is missing"));
    if (name == "*")
      steps_.push_back({.kind = Step::Kind::kAll, .name = {}, .filter_path = {}, .filter_value = {}});
    else
      steps_.push_back({.kind = Step::Kind::kMember, .name = std::move(name), .filter_path = {}, .filter_value = {}});
    return ok_status();
  }

  Status bracket() {
    if (text_.front() != '[') return invalid(concat("expected '.' or '[', found ", quoted(text_.substr(0, 1))));
    const bool is_filter = text_.starts_with("[?(");
    const std::string_view close = is_filter ? ")]" : "]";
    const std::size_t end = text_.find(close);
    if (end == std::string_view::npos) return invalid(concat("'[' without ", quoted(close)));
    const std::string_view inside = text_.substr(is_filter ? 3 : 1, end - (is_filter ? 3 : 1));
    text_.remove_prefix(end + close.size());
    return is_filter ? filter(trim(inside)) : subscript(trim(inside));
  }

  static bool is_quoted(std::string_view text) {
    return text.size() >= 2 && (text.front() == '\'' || text.front() == '"') && text.back() == text.front();
  }

  Status subscript(std::string_view inside) {
    Step step;
    if (inside == "*") {
      step.kind = Step::Kind::kAll;
    } else if (is_quoted(inside)) {
      step.name = inside.substr(1, inside.size() - 2);
    } else if (const auto index = parse_number<long>(inside)) {
      step.kind = Step::Kind::kIndex;
      step.index = *index;
    } else {
      return invalid(concat("[", inside, "] is no index, name or '*'"));
    }
    steps_.push_back(std::move(step));
    return ok_status();
  }

  Status filter(std::string_view inside) {
    Step step;
    step.kind = Step::Kind::kFilter;
    std::size_t at = inside.find("==");
    if (at == std::string_view::npos) {
      at = inside.find("!=");
      step.is_negated = true;
    }
    if (at == std::string_view::npos || !inside.starts_with("@."))
      return invalid(concat("?(", inside, ") is not of the form ?(@.field==\"value\")"));
    for (const std::string_view part : split(trim(inside.substr(2, at - 2)), '.')) step.filter_path.emplace_back(part);
    const std::string_view value = trim(inside.substr(at + 2));
    step.filter_value = is_quoted(value) ? value.substr(1, value.size() - 2) : value;
    steps_.push_back(std::move(step));
    return ok_status();
  }

  std::string_view text_;
  std::vector<Step> steps_;
};

Result<JsonPath> JsonPath::parse(std::string_view text) {
  auto steps = Parser(text).run();
  if (!steps) return steps.error().within(concat("JSONPath ", quoted(text)));
  JsonPath path;
  path.steps_ = std::move(steps).value();
  return path;
}

void JsonPath::apply(const Step& step, json::View view, std::vector<json::View>& out) {
  if (step.kind == Step::Kind::kMember) {
    if (const json::View member = view[step.name]; member.is_present()) out.push_back(member);
    return;
  }
  std::vector<json::View> elements;
  for (const json::View element : view.elements()) elements.push_back(element);
  if (step.kind == Step::Kind::kIndex) {
    const long size = static_cast<long>(elements.size());
    const long index = step.index < 0 ? size + step.index : step.index;
    if (index >= 0 && index < size) out.push_back(elements[static_cast<std::size_t>(index)]);
    return;
  }
  if (step.kind == Step::Kind::kAll)
    for (const auto [name, value] : view.members()) elements.push_back(value);
  for (const json::View element : elements) {
    json::View field = element;
    for (const std::string& part : step.filter_path) field = field[part];
    const bool is_equal = field.string().value_or("") == step.filter_value && field.is_present();
    if (step.kind == Step::Kind::kAll || is_equal != step.is_negated) out.push_back(element);
  }
}

std::vector<json::View> JsonPath::find(json::View root) const {
  std::vector<json::View> current{root};
  for (const Step& step : steps_) {
    std::vector<json::View> next;
    for (const json::View view : current) apply(step, view, next);
    current = std::move(next);
  }
  return current;
}

}  // namespace margay::server
