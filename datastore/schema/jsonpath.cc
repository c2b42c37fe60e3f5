#include "datastore/schema/jsonpath.h"

#include <algorithm>

#include "datastore/schema/jsonpath_syntax.h"

namespace margay::schema {
namespace jsonpath {
namespace {

using json::Value;
using Values = std::vector<const Value*>;

// "..": several of them multiply; nobody reads more than this.
constexpr std::size_t kFoundMax = 100'000;
// Filters in filters, and ranges in ranges, multiply too: so many values are looked at.
constexpr std::size_t kVisitsMax = 5'000'000;
constexpr std::size_t kOutputMax = std::size_t{256} * 1024 * 1024;

class Evaluator {
 public:
  explicit Evaluator(const Value& root) : root_(root) {}

  [[nodiscard]] Values find(const Path& path, const Value& here) const {
    Values values{path.is_from_root ? &root_ : &here};
    for (const Step& step : path.steps) {
      Values next;
      for (const Value* value : values) {
        if (!visit()) break;
        std::visit([&](const auto& s) { apply(s, *value, next); }, step);
        if (next.size() >= kFoundMax) break;
      }
      values = std::move(next);
    }
    if (visits_ > kVisitsMax) values.clear();
    return values;
  }

  // False when a limit was reached.
  [[nodiscard]] bool render(const std::vector<Piece>& pieces, const Value& here, std::string& out) const {
    for (const Piece& piece : pieces) {
      if (!visit() || out.size() > kOutputMax) return false;
      if (const auto* text = std::get_if<std::string>(&piece.content)) {
        out.append(*text);
      } else if (const auto* path = std::get_if<Path>(&piece.content)) {
        bool is_first = true;
        for (const Value* value : find(*path, here)) {
          if (!std::exchange(is_first, false)) out.push_back(' ');
          out.append(printed(*value));
        }
      } else {
        const Range& range = *std::get<std::shared_ptr<const Range>>(piece.content);
        for (const Value* value : find(range.path, here)) {
          if (!visit() || !render(range.body, *value, out)) return false;
        }
      }
    }
    return visits_ <= kVisitsMax && out.size() <= kOutputMax;
  }

 private:
  bool visit() const { return ++visits_ <= kVisitsMax; }

  void apply(const Fields& fields, const Value& value, Values& out) const {
    for (const std::string& name : fields.names) {
      if (const Value* member = value.find(name)) out.push_back(member);
    }
  }

  void apply(const Indexes& indexes, const Value& value, Values& out) const {
    const json::Array* array = value.as_array();
    if (array == nullptr) return;
    const auto size = static_cast<std::int64_t>(array->size());
    for (const std::int64_t place : indexes.places) {
      const std::int64_t index = place < 0 ? place + size : place;
      if (index >= 0 && index < size) out.push_back(&(*array)[static_cast<std::size_t>(index)]);
    }
  }

  void apply(const Slice& slice, const Value& value, Values& out) const {
    const json::Array* array = value.as_array();
    if (array == nullptr) return;
    const auto size = static_cast<std::int64_t>(array->size());
    const auto bound = [&](std::int64_t place) {
      return std::clamp<std::int64_t>(place < 0 ? place + size : place, 0, size);
    };
    const std::int64_t end = bound(slice.end.value_or(size));
    const std::int64_t step = std::min(slice.step, size + 1);  // larger ones would overflow
    for (std::int64_t i = bound(slice.begin.value_or(0)); i < end; i += step) {
      out.push_back(&(*array)[static_cast<std::size_t>(i)]);
    }
  }

  void apply(const Wildcard&, const Value& value, Values& out) const {
    if (const json::Array* array = value.as_array()) {
      for (const Value& element : *array) out.push_back(&element);
    } else if (const json::Object* object = value.as_object()) {
      for (const json::Member& member : *object) out.push_back(&member.value);
    }
  }

  void apply(const Recursive&, const Value& value, Values& out) const {
    if (out.size() >= kFoundMax || !visit()) return;
    out.push_back(&value);
    Values inside;
    apply(Wildcard{}, value, inside);
    for (const Value* inner : inside) apply(Recursive{}, *inner, out);
  }

  void apply(const std::shared_ptr<const Filter>& filter, const Value& value, Values& out) const {
    Values candidates;
    apply(Wildcard{}, value, candidates);
    for (const Value* candidate : candidates) {
      if (passes(*filter, *candidate)) out.push_back(candidate);
    }
  }

  [[nodiscard]] Values values_of(const Operand& operand, const Value& here) const {
    if (const auto* literal = std::get_if<Value>(&operand)) return {literal};
    return find(std::get<Path>(operand), here);
  }

  [[nodiscard]] bool passes(const Filter& filter, const Value& here) const {
    if (!visit()) return false;
    const Values left = values_of(filter.left, here);
    if (filter.comparison == Comparison::kExists) return !left.empty();
    const Values right = values_of(filter.right, here);
    return !left.empty() && !right.empty() && compare(*left.front(), filter.comparison, *right.front());
  }

  static bool compare(const Value& a, Comparison comparison, const Value& b) {
    if (comparison == Comparison::kEqual) return a == b;
    if (comparison == Comparison::kNotEqual) return !(a == b);
    if (a.as_string() != nullptr && b.as_string() != nullptr)
      return in_order(*a.as_string(), comparison, *b.as_string());
    const std::optional<double> left = number_of(a);
    const std::optional<double> right = number_of(b);
    return left && right && in_order(*left, comparison, *right);
  }

  template <class T>
  static bool in_order(const T& a, Comparison comparison, const T& b) {
    if (comparison == Comparison::kLess) return a < b;
    if (comparison == Comparison::kLessOrEqual) return a <= b;
    if (comparison == Comparison::kGreater) return a > b;
    return comparison == Comparison::kGreaterOrEqual && a >= b;
  }

  static std::optional<double> number_of(const Value& value) {
    if (value.as_integer() != nullptr) return static_cast<double>(*value.as_integer());
    if (value.as_double() != nullptr) return *value.as_double();
    return std::nullopt;
  }

  const Value& root_;
  mutable std::size_t visits_ = 0;
};

}  // namespace
}  // namespace jsonpath

Result<JsonPath> JsonPath::parse(std::string_view expression) {
  MARGAY_ASSIGN_OR_RETURN(jsonpath::Path path, jsonpath::parse_expression(expression));
  return JsonPath(std::make_shared<const jsonpath::Path>(std::move(path)));
}

std::vector<const json::Value*> JsonPath::find(const json::Value& root) const {
  return jsonpath::Evaluator(root).find(*path_, root);
}

Result<JsonPathTemplate> JsonPathTemplate::parse(std::string_view text) {
  const bool is_expression =
      text.find('{') == std::string_view::npos && !text.empty() && (text[0] == '.' || text[0] == '$');
  std::vector<jsonpath::Piece> pieces;
  if (is_expression) {
    MARGAY_ASSIGN_OR_RETURN(jsonpath::Path path, jsonpath::parse_expression(text));
    pieces.push_back({std::move(path)});
  } else {
    MARGAY_ASSIGN_OR_RETURN(pieces, jsonpath::parse_template(text));
  }
  return JsonPathTemplate(std::make_shared<const std::vector<jsonpath::Piece>>(std::move(pieces)));
}

Result<std::string> JsonPathTemplate::render(const json::Value& root) const {
  std::string out;
  if (jsonpath::Evaluator(root).render(*pieces_, root, out)) return out;
  return Error{ErrorCode::kLimitExceeded, "the template looks at too many values or prints too much"};
}

std::string printed(const json::Value& value) {
  if (value.is_null()) return "";
  if (const std::string* text = value.as_string()) return *text;
  return json::dump(value);
}

}  // namespace margay::schema
