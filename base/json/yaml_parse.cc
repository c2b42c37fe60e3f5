// parse_yaml() over yaml-cpp's events: nothing is built that we do not count first.
#include <algorithm>
#include <istream>
#include <map>
#include <optional>
#include <set>
#include <streambuf>

#include "base/core/text.h"
#include "base/json/position.h"
#include "base/json/tree_builder.h"
#include "base/json/yaml.h"
#include "base/json/yaml_scalar.h"
#include "base/json/yaml_text.h"
#include "yaml-cpp/depthguard.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/exceptions.h"
#include "yaml-cpp/parser.h"

namespace margay::json {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kCoreTagPrefix = "tag:yaml.org,2002:";
constexpr std::string_view kMergeKey = "<<";

// Leaves yaml-cpp's parser when the document cannot be accepted; caught in this file.
struct Refused {};

class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // the get area is only read
    setg(begin, begin, begin + text.size());
  }
};

struct Anchored {
  Value value;
  std::size_t nodes = 0;
  std::size_t bytes = 0;
};

class YamlHandler final : public YAML::EventHandler {
 public:
  YamlHandler(std::string_view text, const YamlLimits& limits)
      : text_(text), limits_(limits), builder_({.text = text, .depth_max = limits.depth_max, .keeps_places = true}) {}

  std::vector<YamlDocument> take() { return std::move(documents_); }
  [[nodiscard]] const std::optional<Error>& error() const { return builder_.error(); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (has_seen_document_ && !detail::begins_a_document(text_, offset_of(mark))) {
      refuse(mark, "a second value after the document's end; documents are separated by a line ---");
    }
    has_seen_document_ = true;
    anchors_.clear();
  }

  void OnDocumentEnd() override {
    YamlDocument document{builder_.take(), builder_.take_places()};
    if (!document.value.is_null()) documents_.push_back(std::move(document));
  }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (builder_.awaits_name()) refuse(mark, "null as a key; in quotes it is a text");
    if (!opened_.empty()) check_given(mark, opened_.back());
    add(mark, {}, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) refuse(mark, "alias to a value that contains it");
    if (builder_.awaits_name()) {
      const std::string* text = found->second.value.as_string();
      if (text == nullptr) refuse(mark, "an alias as a key must stand for a text");
      add_name(mark, *text, false);
      return;
    }
    count(mark, found->second.nodes, found->second.bytes);
    check(builder_.scalar(found->second.value, offset_of(mark)));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    if (builder_.awaits_name()) {
      add_name(mark, text, tag == "?" && text == kMergeKey);
      if (anchor != YAML::NullAnchor) remember(mark, anchor, {Value(text), 1, text.size()});
      return;
    }
    add(mark, resolve(mark, tag, text), anchor);
    if (tag != "?") last_quoted_ = offset_of(mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_tag(mark, tag, "seq");
    open(mark, Array{}, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    check_tag(mark, tag, "map");
    open(mark, Object{}, anchor);
    opened_.back().is_block_map = style == YAML::EmitterStyle::Block;
  }
  void OnMapEnd() override {
    const Open& map = opened_.back();
    if (map.has_merge) merge(map.mark);
    close();
  }

  // yaml-cpp takes the end of the text for the end of a quoted scalar; only the last one of a stream can be such.
  bool last_quote_is_closed() {
    if (!last_quoted_ || detail::quote_ends(text_, *last_quoted_)) return true;
    return builder_.fail(*last_quoted_, ErrorCode::kInvalid, "a quote without its end");
  }

  // Of a mark: yaml-cpp does not count the byte order mark.
  [[nodiscard]] std::size_t offset_of(const YAML::Mark& mark) const {
    if (mark.is_null()) return text_.size();
    return static_cast<std::size_t>(mark.pos) + (text_.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
  }

 private:
  struct Open {
    YAML::Mark mark;
    YAML::anchor_t anchor = YAML::NullAnchor;
    std::size_t nodes_before = 0;
    std::size_t bytes_before = 0;
    std::size_t last_name = 0;  // where it begins
    bool is_block_map = false;
    bool has_merge = false;
  };

  void check(bool done) {
    if (!done) throw Refused{};
  }
  [[noreturn]] void refuse(const YAML::Mark& mark, std::string_view why, ErrorCode code = ErrorCode::kInvalid) {
    builder_.fail(offset_of(mark), code, why);
    throw Refused{};
  }

  // Everything that takes memory is counted here before it is made: values and their text, copies for anchors included.
  void count(const YAML::Mark& mark, std::size_t nodes, std::size_t bytes) {
    nodes_ += nodes;
    bytes_ += bytes;
    if (nodes_ > limits_.nodes_max) {
      refuse(mark, concat("more than ", limits_.nodes_max, " values, aliases expanded"), ErrorCode::kLimitExceeded);
    }
    if (bytes_ > limits_.bytes_max) {
      refuse(mark, concat("more than ", limits_.bytes_max, " bytes, aliases expanded"), ErrorCode::kLimitExceeded);
    }
  }

  void remember(const YAML::Mark& mark, YAML::anchor_t anchor, Anchored anchored) {
    count(mark, anchored.nodes, anchored.bytes);
    anchors_[anchor] = std::move(anchored);
  }

  // yaml-cpp makes null of what is not there: the value of a line without ':', and "[, a]".
  void check_given(const YAML::Mark& mark, const Open& container) {
    if (container.is_block_map && !detail::key_is_marked(text_, container.last_name)) {
      builder_.fail(container.last_name, ErrorCode::kInvalid, "a key without its ':', or a quote without its end");
      throw Refused{};
    }
    const bool is_in_array = builder_.open_object() == nullptr;
    if (is_in_array && text_.substr(offset_of(mark)).starts_with(",")) refuse(mark, "',' without a value before it");
  }

  void add(const YAML::Mark& mark, Value value, YAML::anchor_t anchor) {
    const std::string* text = value.as_string();
    const std::size_t bytes = text == nullptr ? 0 : text->size();
    count(mark, 1, bytes);
    if (anchor != YAML::NullAnchor) remember(mark, anchor, {value, 1, bytes});
    check(builder_.scalar(std::move(value), offset_of(mark)));
  }

  void add_name(const YAML::Mark& mark, std::string name, bool is_merge) {
    count(mark, 0, name.size());
    opened_.back().last_name = offset_of(mark);
    if (is_merge) opened_.back().has_merge = true;
    check(builder_.name(std::move(name), offset_of(mark)));
  }

  void open(const YAML::Mark& mark, Value container, YAML::anchor_t anchor) {
    if (builder_.awaits_name()) refuse(mark, "a mapping or sequence as a key; keys are texts");
    opened_.push_back({mark, anchor, nodes_, bytes_, 0, false, false});
    count(mark, 1, 0);
    check(builder_.open(std::move(container), offset_of(mark)));
  }

  void close() {
    const Open done = opened_.back();
    opened_.pop_back();
    check(builder_.close());
    if (done.anchor == YAML::NullAnchor) return;
    const std::size_t nodes = nodes_ - done.nodes_before;
    const std::size_t bytes = bytes_ - done.bytes_before;
    count(done.mark, nodes, bytes);
    anchors_[done.anchor] = {builder_.last(), nodes, bytes};
  }

  // `<<: *base` or `<<: [*a, *b]`: their members join this object, where it or an earlier one has no such name.
  void merge(const YAML::Mark& mark) {
    check(builder_.names_are_unique());
    Object& object = *builder_.open_object();
    const Value source = std::move(*object.find(kMergeKey));
    object.erase(kMergeKey);
    std::set<std::string, std::less<>> names;
    for (const Member& member : object) names.insert(member.name);
    if (const Array* sources = source.as_array()) {
      for (const Value& one : *sources) merge_from(mark, one, object, names);
    } else {
      merge_from(mark, source, object, names);
    }
  }

  void merge_from(const YAML::Mark& mark, const Value& source, Object& object,
                  std::set<std::string, std::less<>>& names) {
    const Object* members = source.as_object();
    if (members == nullptr) refuse(mark, concat("<< merges mappings, not ", to_string(source.type())));
    for (const Member& member : *members) {
      if (names.insert(member.name).second) object.append_new(member.name, member.value);
    }
  }

  void check_tag(const YAML::Mark& mark, std::string_view tag, std::string_view allowed) {
    if (tag == "?" || tag == "!" || tag.empty()) return;
    if (tag.starts_with(kCoreTagPrefix) && tag.substr(kCoreTagPrefix.size()) == allowed) return;
    refuse(mark, concat("tag ", quoted(tag.substr(0, 100)), " is not known"));
  }

  Value resolve(const YAML::Mark& mark, std::string_view tag, std::string_view text) {
    if (tag == "!") return text;  // quoted
    Result<Value> plain = detail::resolve_plain(text);
    if (tag == "?" || tag.empty()) {
      if (!plain.ok()) refuse(mark, plain.error().message);
      return std::move(plain).value();
    }
    if (!tag.starts_with(kCoreTagPrefix)) refuse(mark, concat("tag ", quoted(tag.substr(0, 100)), " is not known"));
    const std::string_view name = tag.substr(kCoreTagPrefix.size());
    if (name == "str") return text;
    if (name != "null" && name != "bool" && name != "int" && name != "float") {
      refuse(mark, concat("tag ", margay::quoted(concat("!!", name.substr(0, 100))), " is not known"));
    }
    const Type type = plain.ok() ? plain->type() : Type::kString;
    const bool fits = (name == "null" && type == Type::kNull) || (name == "bool" && type == Type::kBool) ||
                      (name == "int" && type == Type::kInteger) ||
                      (name == "float" && (type == Type::kDouble || type == Type::kInteger));
    if (!fits) refuse(mark, concat("the text does not fit its tag !!", name.substr(0, 100)));
    return std::move(plain).value();
  }

  std::string_view text_;
  const YamlLimits& limits_;
  detail::TreeBuilder builder_;
  std::vector<Open> opened_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::vector<YamlDocument> documents_;
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
  bool has_seen_document_ = false;
  std::optional<std::size_t> last_quoted_;
};

Result<std::vector<YamlDocument>> parse_block_style(std::string_view text, const YamlLimits& limits) {
  YamlHandler handler(text, limits);
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(handler)) {
    }
  } catch (const Refused&) {
    return *handler.error();
  } catch (const YAML::DeepRecursion& failure) {
    return Error{ErrorCode::kLimitExceeded,
                 detail::at_place(detail::place_of(text, handler.offset_of(failure.mark)), "nested too deeply")};
  } catch (const YAML::Exception& failure) {
    return detail::explain_yaml(text, handler.offset_of(failure.mark), failure.msg);
  } catch (const std::exception& failure) {
    return Error{ErrorCode::kInternal, concat("YAML reader: ", failure.what())};
  }
  if (!handler.last_quote_is_closed()) return *handler.error();
  return handler.take();
}

}  // namespace

Result<std::vector<YamlDocument>> parse_yaml(std::string_view text, const YamlLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return Error{ErrorCode::kLimitExceeded,
                 concat("document of ", text.size(), " bytes, allowed are ", limits.bytes_max)};
  }
  MARGAY_RETURN_IF_ERROR(detail::check_yaml_text(text));
  if (!detail::looks_like_json(text)) return parse_block_style(text, limits);
  // The JSON parser is faster and reads escapes that yaml-cpp refuses (surrogate pairs).
  Result<std::vector<YamlDocument>> json = detail::parse_with_places(text, limits);
  if (json.ok()) return json;
  Result<std::vector<YamlDocument>> documents = parse_block_style(text, limits);
  if (documents.ok()) return documents;
  return std::move(json).error();
}

}  // namespace margay::json
