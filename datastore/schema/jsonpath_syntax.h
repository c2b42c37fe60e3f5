// The parsed form of JSONPath. Private to datastore/schema.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/core/result.h"
#include "base/json/value.h"

namespace margay::schema::jsonpath {

struct Filter;

struct Fields {  // .a, ['a', 'b']
  std::vector<std::string> names;
};
struct Indexes {  // [0], [-1, 2]
  std::vector<std::int64_t> places;
};
struct Slice {  // [1:3], [::2]
  std::optional<std::int64_t> begin;
  std::optional<std::int64_t> end;
  std::int64_t step = 1;
};
struct Wildcard {};   // [*], .*
struct Recursive {};  // ..: the value and everything in it
using Step = std::variant<Fields, Indexes, Slice, Wildcard, Recursive, std::shared_ptr<const Filter>>;

struct Path {
  bool is_from_root = false;  // $; else from where we are
  std::vector<Step> steps;
};

using Operand = std::variant<Path, json::Value>;
enum class Comparison { kExists, kEqual, kNotEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };
struct Filter {
  Operand left;
  Comparison comparison = Comparison::kExists;
  Operand right;
};

struct Range;
// Of a template.
struct Piece {
  std::variant<std::string, Path, std::shared_ptr<const Range>> content;
};
struct Range {
  Path path;
  std::vector<Piece> body;
};

// The errors name the column, from 1.
Result<Path> parse_expression(std::string_view text);
Result<std::vector<Piece>> parse_template(std::string_view text);

}  // namespace margay::schema::jsonpath
