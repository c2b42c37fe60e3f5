// Kubernetes' JSONPath: for printer columns, and for `-o jsonpath=` and `-o custom-columns=` of netctl.
// Source: Kubernetes documentation, "JSONPath Support".
//
//   expression   .spec.ports[0].name   ['a.b/c']   .a\.b/c   [-1]   [0,2]   [1:3]   [*]   .*   ..name
//                [?(@.type=="Ready")]  (== != < <= > >=, a path alone asks whether it is there)   $ the root   @ here
//   template     text {expression} text {"\n"} {range .items[*]}…{end}
//
// What is not there gives nothing, as in kubectl; only a text that cannot be parsed is an error, which names the
// column.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/json/value.h"

namespace margay::schema {

namespace jsonpath {
struct Path;
struct Piece;
}  // namespace jsonpath

class JsonPath {
 public:
  // An expression, also in the forms kubectl takes it in: "spec.x", ".spec.x", "{.spec.x}", "$.spec.x".
  static Result<JsonPath> parse(std::string_view expression);

  // What it finds, in document order; parts of `root`. At most about 100,000; an expression that has to look at more
  // than five million values (filters in filters) finds nothing.
  [[nodiscard]] std::vector<const json::Value*> find(const json::Value& root) const;

 private:
  explicit JsonPath(std::shared_ptr<const jsonpath::Path> path) : path_(std::move(path)) {}
  std::shared_ptr<const jsonpath::Path> path_;
};

class JsonPathTemplate {
 public:
  // A text without any {…} that begins with '.' or '$' is an expression.
  static Result<JsonPathTemplate> parse(std::string_view text);

  // Several values of one expression are separated by spaces. kLimitExceeded: ranges in ranges came to too much.
  [[nodiscard]] Result<std::string> render(const json::Value& root) const;

 private:
  explicit JsonPathTemplate(std::shared_ptr<const std::vector<jsonpath::Piece>> pieces) : pieces_(std::move(pieces)) {}
  std::shared_ptr<const std::vector<jsonpath::Piece>> pieces_;
};

// How a value is printed: strings as they are, null as nothing, arrays and objects as JSON.
std::string printed(const json::Value& value);

}  // namespace margay::schema
