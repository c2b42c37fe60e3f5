// The part of Go's text/template that is used for one-line reports over objects.
//
//   {{range .items}}{{.metadata.name}} {{with .spec.order}}{{.}}{{else}}-{{end}}{{"\n"}}{{end}}
//
// There: fields, $variables (:= and =), if / else if / else, range (with one or two variables, else), with, pipes,
// parentheses, strings, numbers, true, false, nil, comments, {{- -}}, and the functions and, or, not, eq, ne, lt, le,
// gt, ge, index, len, print, printf (%s %v %d %q %t %x, width and -), println, exists, base64decode. Not there: define,
// template, block, break, continue, method calls, other functions: an error that names what it met.
//
// Differs from kubectl where Go's own rules only get in the way: integers print as integers (not 1e+06), and a field of
// something that is not there is not there (prints "<no value>") rather than an error.
//
// Source: documentation of Go's package text/template.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/json/value.h"

namespace margay::render {

namespace go_template {
struct Block;
}  // namespace go_template

class GoTemplate {
 public:
  // The error names line and column of the template.
  static Result<GoTemplate> parse(std::string_view text);
  [[nodiscard]] Result<std::string> execute(const json::Value& data) const;

 private:
  explicit GoTemplate(std::shared_ptr<const go_template::Block> root) : root_(std::move(root)) {}
  std::shared_ptr<const go_template::Block> root_;
};

}  // namespace margay::render
