// YAML 1.2 as Kubernetes users write it (the JSON schema plus block style), read into json::Value with the place of
// every value, and JSON values written as YAML.
//
// Reading follows what kubectl accepts: several documents between "---", comments, anchors and aliases (with a bound on
// their expansion), true/false, null and "~", decimal, 0x, 0o, 0b and 0644 integers, 1_000; a quoted scalar is
// always a string. One thing kubectl does is left out: "yes", "no", "on", "off", "y", "n" stay strings. JSON is YAML,
// so the same reader serves both; JSON objects may also follow each other without "---", as jq writes them.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/json/value.h"

namespace margay::json {

// 1-based, as editors count.
struct Position {
  std::size_t line = 0;
  std::size_t column = 0;
  friend bool operator==(const Position&, const Position&) = default;
};

struct YamlDocument {
  Value value;  // null for an empty document
  // Where a value begins, by its path as error messages name it: "spec.ingress[0].action"; "" is the document.
  std::map<std::string, Position, std::less<>> positions;
};

struct YamlLimits {
  std::size_t bytes_max = 16 * 1024 * 1024;
  std::size_t depth_max = 100;
  std::size_t nodes_max = 1'000'000;  // after expansion of aliases: a bound on "billion laughs"
};

// All documents of a stream, empty ones left out. Error: "line 3, column 7: …"; duplicate keys are errors.
Result<std::vector<YamlDocument>> parse_yaml(std::string_view text, const YamlLimits& limits = {});

// Block style, two-space indent, strings quoted only where YAML would read them as something else; long text with
// newlines as a literal block. Ends with a newline.
std::string dump_yaml(const Value& value);

}  // namespace margay::json
