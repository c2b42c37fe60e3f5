// Objects as they stand in files, with the places of their fields.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/field_error.h"
#include "base/json/value.h"
#include "base/json/yaml.h"
#include "ctl/verbs/source.h"

namespace margay::verbs {

// Where an object came from: its file, and its path in the document it was part of ("items[2]" of a List).
class Origin {
 public:
  using Positions = std::map<std::string, json::Position, std::less<>>;

  Origin(std::string source, std::shared_ptr<const Positions> positions, std::string prefix)
      : source_(std::move(source)), positions_(std::move(positions)), prefix_(std::move(prefix)) {}

  // "pools.yaml:12:7": of the field at `path`, or of the nearest one around it when that is missing.
  [[nodiscard]] std::string place(std::string_view path) const;
  // "pools.yaml:12:7: spec.cidr: …"; without the path for the object itself.
  [[nodiscard]] std::string describe(const FieldError& error) const;

 private:
  std::string source_;
  std::shared_ptr<const Positions> positions_;
  std::string prefix_;
};

struct Document {
  json::Value object;
  Origin origin;
};

struct Documents {
  std::vector<Document> documents;
  std::vector<std::string> problems;  // files that could not be read as YAML or JSON
};

// The members of Lists stand for themselves.
Documents parse_documents(const std::vector<Source>& sources);

}  // namespace margay::verbs
