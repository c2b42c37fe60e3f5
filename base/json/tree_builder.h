// TreeBuilder: turns the events of a parser (JSON or YAML) into a Value, and keeps the rules both share: depth limit,
// no duplicate names, the place of every value. Private to base/json.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/json/value.h"
#include "base/json/yaml.h"

namespace margay::json::detail {

// Line and column of growing offsets into one text, each byte counted once.
class PlaceCursor {
 public:
  explicit PlaceCursor(std::string_view text) : text_(text) {}
  Position at(std::size_t offset);

 private:
  std::string_view text_;
  std::size_t offset_ = 0;
  Position position_{1, 1};
};

using Places = std::map<std::string, Position, std::less<>>;

class TreeBuilder {
 public:
  struct Options {
    std::string_view text;
    std::size_t depth_max = 0;
    bool keeps_places = false;
  };
  explicit TreeBuilder(const Options& options) : options_(options), cursor_(options.text) {}

  // Otherwise the offsets of values (not of names and containers) are not looked at.
  [[nodiscard]] bool keeps_places() const { return options_.keeps_places; }

  // Each takes the byte where its token begins; false: error() says why, and nothing more may be called.
  bool scalar(Value value, std::size_t offset);
  bool open(Value container, std::size_t offset);
  bool name(std::string name, std::size_t offset);
  bool close();
  // Of the innermost open object; close() asks it too.
  bool names_are_unique();

  // In an object, where a name comes next.
  [[nodiscard]] bool awaits_name() const;
  // The innermost open array or object.
  [[nodiscard]] Object* open_object() { return frames_.empty() ? nullptr : frames_.back().value.as_object(); }
  // What the last scalar() or close() added.
  [[nodiscard]] const Value& last() const { return *last_; }

  bool fail(std::size_t offset, ErrorCode code, std::string_view message);
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  // The finished document; ready for the next.
  Value take();
  Places take_places();

 private:
  struct Frame {
    Value value;
    std::string name;  // of the member whose value comes next
    bool has_name = false;
    std::vector<std::size_t> places;  // of each member's name
    std::size_t path_size = 0;        // of the path of this container
  };

  void add(Value value);
  void enter(std::size_t offset);
  bool fail_duplicate(const Frame& frame, std::size_t first, std::size_t second);

  Options options_;
  PlaceCursor cursor_;
  Value root_;
  const Value* last_ = nullptr;
  std::vector<Frame> frames_;
  std::string path_;
  Places places_;
  std::size_t places_bytes_ = 0;
  std::optional<Error> error_;
};

// JSON, read as parse() does, with the place of every value; several objects behind each other are several documents.
// nodes_max is not looked at: JSON does not expand.
Result<std::vector<YamlDocument>> parse_with_places(std::string_view text, const YamlLimits& limits);

}  // namespace margay::json::detail
