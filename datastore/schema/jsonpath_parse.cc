#include <algorithm>

#include "base/core/text.h"
#include "datastore/schema/jsonpath_syntax.h"

namespace margay::schema::jsonpath {
namespace {

using json::Value;

constexpr std::size_t kBytesMax = 64 * 1024;
constexpr int kDepthMax = 16;  // of filters in filters and ranges in ranges

class PathParser {
 public:
  explicit PathParser(std::string_view text) : text_(text) {}

  // Up to the end of the text, or up to a '}' or what ends an operand of a filter.
  Result<Path> path() {
    Path path;
    skip_blanks();
    if (take('$')) {
      path.is_from_root = true;
    } else if (!take('@') && at_field_start()) {
      MARGAY_RETURN_IF_ERROR(field(path));  // "spec.x" without a dot before it
    }
    while (!at_end()) {
      if (take('[')) {
        MARGAY_RETURN_IF_ERROR(bracket(path));
      } else if (text_.substr(at_, 2) == "..") {
        at_ += 2;
        path.steps.emplace_back(Recursive{});
        if (peek() != '[') MARGAY_RETURN_IF_ERROR(field(path));
      } else if (take('.')) {
        const bool is_root_itself = path.steps.empty() && !at_field_start() && peek() != '*';
        if (!is_root_itself && peek() != '[') MARGAY_RETURN_IF_ERROR(field(path));
      } else {
        break;
      }
    }
    return path;
  }

  // Pieces up to the end, or up to {end} in a range.
  Result<std::vector<Piece>> pieces(bool is_in_range) {
    std::vector<Piece> pieces;
    while (!at_end()) {
      const std::size_t brace = std::min(text_.find('{', at_), text_.size());
      if (brace > at_) pieces.push_back({std::string(text_.substr(at_, brace - at_))});
      at_ = brace;
      if (!take('{')) break;
      skip_blanks();
      if (take_word("end")) {
        if (!is_in_range) return fail("{end} without a {range}");
        MARGAY_RETURN_IF_ERROR(expect('}'));
        return pieces;
      }
      MARGAY_ASSIGN_OR_RETURN(Piece piece, action());
      pieces.push_back(std::move(piece));
    }
    if (is_in_range) return fail("{range} without its {end}");
    return pieces;
  }

  Status expect_end() {
    skip_blanks();
    return at_end() ? ok_status() : Status(fail(concat("unexpected ", quoted(text_.substr(at_, 1)))));
  }

  bool take_braces() {  // "{…}" around an expression
    skip_blanks();
    return take('{');
  }
  Status expect(char c) {
    skip_blanks();
    if (take(c)) return ok_status();
    return fail(concat("expected '", c, "'", at_end() ? "" : concat(", found '", text_[at_], "'")));
  }

 private:
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }
  bool take(char c) {
    if (peek() != c || at_end()) return false;
    ++at_;
    return true;
  }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t') ++at_;
  }
  // A whole word: not the beginning of a longer one.
  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    const char next = at_ + word.size() < text_.size() ? text_[at_ + word.size()] : '}';
    if (next != '}' && next != ' ' && next != '\t') return false;
    at_ += word.size();
    return true;
  }
  [[nodiscard]] Error fail(std::string_view reason) const { return invalid(concat("column ", at_ + 1, ": ", reason)); }

  static bool ends_name(char c) {
    return std::string_view(" \t.,[]{}()$@=!<>?*'\"&|").find(c) != std::string_view::npos;
  }
  [[nodiscard]] bool at_field_start() const { return !at_end() && !ends_name(peek()); }

  // A name after a dot; '\' takes the next character as it is.
  Status field(Path& path) {
    if (take('*')) {
      path.steps.emplace_back(Wildcard{});
      return ok_status();
    }
    std::string name;
    while (!at_end() && !ends_name(peek())) {
      if (peek() == '\\' && at_ + 1 < text_.size()) ++at_;
      name.push_back(text_[at_++]);
    }
    if (name.empty()) return fail("expected the name of a field");
    path.steps.emplace_back(Fields{{std::move(name)}});
    return ok_status();
  }

  // Behind '['.
  Status bracket(Path& path) {
    skip_blanks();
    if (take('*')) {
      path.steps.emplace_back(Wildcard{});
    } else if (take('?')) {
      MARGAY_ASSIGN_OR_RETURN(auto parsed, filter());
      path.steps.emplace_back(std::move(parsed));
    } else if (peek() == '\'' || peek() == '"') {
      MARGAY_ASSIGN_OR_RETURN(Fields fields, names());
      path.steps.emplace_back(std::move(fields));
    } else {
      MARGAY_RETURN_IF_ERROR(numbers(path));
    }
    return expect(']');
  }

  Result<Fields> names() {
    Fields fields;
    do {
      skip_blanks();
      MARGAY_ASSIGN_OR_RETURN(std::string name, quoted_text());
      fields.names.push_back(std::move(name));
      skip_blanks();
    } while (take(','));
    return fields;
  }

  // [1], [0,2], [1:3], [:-1], [::2]
  Status numbers(Path& path) {
    std::vector<std::optional<std::int64_t>> parts;
    char separator = '\0';
    while (true) {
      MARGAY_ASSIGN_OR_RETURN(const auto number, integer());
      parts.push_back(number);
      skip_blanks();
      if (peek() != ',' && peek() != ':') break;
      if (separator != '\0' && peek() != separator) return fail("',' and ':' in one pair of brackets");
      separator = peek();
      ++at_;
    }
    if (separator == ':') return slice(path, parts);
    Indexes indexes;
    for (const auto& part : parts) {
      if (!part) return fail("expected a number, a name in quotes, '*' or '?(' in brackets");
      indexes.places.push_back(*part);
    }
    path.steps.emplace_back(std::move(indexes));
    return ok_status();
  }

  Status slice(Path& path, const std::vector<std::optional<std::int64_t>>& parts) {
    if (parts.size() > 3) return fail("a slice has at most begin, end and step");
    Slice slice{parts[0], parts[1], parts.size() == 3 ? parts[2].value_or(1) : 1};
    if (slice.step <= 0) return fail("the step of a slice is above 0");
    path.steps.emplace_back(slice);
    return ok_status();
  }

  // nullopt when there is none.
  Result<std::optional<std::int64_t>> integer() {
    skip_blanks();
    const std::size_t start = at_;
    if (peek() == '-') ++at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    if (at_ == start) return std::optional<std::int64_t>();
    const auto number = parse_number<std::int64_t>(text_.substr(start, at_ - start));
    if (!number) return fail("expected a number");
    return number;
  }

  Result<std::string> quoted_text() {
    if (peek() != '\'' && peek() != '"') return fail("expected a text in quotes");
    const char quote = text_[at_++];
    std::string out;
    while (!at_end() && peek() != quote) {
      char c = text_[at_++];
      if (c == '\\' && !at_end()) {
        c = text_[at_++];
        c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
      }
      out.push_back(c);
    }
    if (!take(quote)) return fail(concat("expected ", quote));
    return out;
  }

  // Behind '?': (left), (left op right).
  Result<std::shared_ptr<const Filter>> filter() {
    if (++depth_ > kDepthMax) return fail("nested too deeply");
    MARGAY_RETURN_IF_ERROR(expect('('));
    Filter filter;
    MARGAY_ASSIGN_OR_RETURN(filter.left, operand());
    skip_blanks();
    if (peek() != ')') {
      MARGAY_ASSIGN_OR_RETURN(filter.comparison, comparison());
      MARGAY_ASSIGN_OR_RETURN(filter.right, operand());
    }
    MARGAY_RETURN_IF_ERROR(expect(')'));
    --depth_;
    return std::make_shared<const Filter>(std::move(filter));
  }

  Result<Comparison> comparison() {
    constexpr std::pair<std::string_view, Comparison> kComparisons[] = {
        {"==", Comparison::kEqual},          {"!=", Comparison::kNotEqual}, {"<=", Comparison::kLessOrEqual},
        {">=", Comparison::kGreaterOrEqual}, {"<", Comparison::kLess},      {">", Comparison::kGreater}};
    for (const auto& [word, meaning] : kComparisons) {
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return meaning;
    }
    return fail("expected ')' or one of == != < <= > >=");
  }

  Result<Operand> operand() {
    skip_blanks();
    const char c = peek();
    if (c == '@' || c == '$' || c == '.') {
      MARGAY_ASSIGN_OR_RETURN(Path parsed, path());
      return Operand(std::move(parsed));
    }
    if (c == '\'' || c == '"') {
      MARGAY_ASSIGN_OR_RETURN(std::string text, quoted_text());
      return Operand(Value(std::move(text)));
    }
    const std::size_t start = at_;
    while (!at_end() && std::string_view(" \t)=!<>").find(peek()) == std::string_view::npos) ++at_;
    Result<Value> literal = json::parse(text_.substr(start, at_ - start));
    if (literal.ok() && literal->as_array() == nullptr && literal->as_object() == nullptr) {
      return Operand(std::move(literal).value());
    }
    at_ = start;
    return fail("expected a path (@.x), a text in quotes, a number, true, false or null");
  }

  // Behind '{': a literal, a range, or an expression.
  Result<Piece> action() {
    if (peek() == '"' || peek() == '\'') {
      MARGAY_ASSIGN_OR_RETURN(std::string text, quoted_text());
      MARGAY_RETURN_IF_ERROR(expect('}'));
      return Piece{std::move(text)};
    }
    const bool is_range = take_word("range");
    MARGAY_ASSIGN_OR_RETURN(Path parsed, path());
    MARGAY_RETURN_IF_ERROR(expect('}'));
    if (!is_range) return Piece{std::move(parsed)};
    if (++depth_ > kDepthMax) return fail("nested too deeply");
    MARGAY_ASSIGN_OR_RETURN(std::vector<Piece> body, pieces(true));
    --depth_;
    return Piece{std::make_shared<const Range>(Range{std::move(parsed), std::move(body)})};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

Status check_size(std::string_view text) {
  if (text.size() <= kBytesMax) return ok_status();
  return Error{ErrorCode::kLimitExceeded, concat("JSONPath of ", text.size(), " bytes, allowed are ", kBytesMax)};
}

}  // namespace

Result<Path> parse_expression(std::string_view text) {
  MARGAY_RETURN_IF_ERROR(check_size(text));
  PathParser parser(text);
  const bool is_in_braces = parser.take_braces();
  MARGAY_ASSIGN_OR_RETURN(Path path, parser.path());
  if (is_in_braces) MARGAY_RETURN_IF_ERROR(parser.expect('}'));
  MARGAY_RETURN_IF_ERROR(parser.expect_end());
  return path;
}

Result<std::vector<Piece>> parse_template(std::string_view text) {
  MARGAY_RETURN_IF_ERROR(check_size(text));
  return PathParser(text).pieces(false);
}

}  // namespace margay::schema::jsonpath
