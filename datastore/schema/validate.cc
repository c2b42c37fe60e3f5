// StructuralSchema::validate(): every violation of a schema, with its path.
#include <algorithm>
#include <cmath>
#include <map>

#include "base/core/field_error.h"
#include "base/core/text.h"
#include "datastore/schema/describe.h"
#include "datastore/schema/formats.h"
#include "datastore/schema/node.h"
#include "datastore/schema/pattern.h"
#include "datastore/schema/structural.h"

namespace margay::schema {
namespace {

using json::Value;
using Kind = FieldError::Kind;

// A document that is wrong throughout gets this many reasons, not one for each of a million values.
constexpr std::size_t kErrorsMax = 200;

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool is_number(const Value& value) { return value.as_integer() != nullptr || value.as_double() != nullptr; }

double number_of(const Value& value) {
  return value.as_integer() != nullptr ? static_cast<double>(*value.as_integer()) : *value.as_double();
}

bool is_whole_number(const Value& value) {
  return value.as_integer() != nullptr ||
         (value.as_double() != nullptr && std::trunc(*value.as_double()) == *value.as_double());
}

bool has_type(const SchemaNode& node, const Value& value) {
  if (node.is_int_or_string) return is_whole_number(value) || value.as_string() != nullptr;
  switch (node.type) {
    case NodeType::kAny: return true;
    case NodeType::kObject: return value.as_object() != nullptr;
    case NodeType::kArray: return value.as_array() != nullptr;
    case NodeType::kString: return value.as_string() != nullptr;
    case NodeType::kInteger: return is_whole_number(value);
    case NodeType::kNumber: return is_number(value);
    case NodeType::kBoolean: return value.as_bool() != nullptr;
  }
  return false;
}

std::string plain_number(double number) { return json::dump(Value(number)); }

// A long pattern tells people nothing: then the first sentence of the description does.
std::string why_not_matching(const SchemaNode& node) {
  constexpr std::size_t kReadableMax = 60;
  const std::string_view pattern = text_of(*node.pattern);
  if (pattern.size() <= kReadableMax || node.description.empty()) return concat("does not match ", pattern);
  const std::string_view description = node.description;
  return concat("has not the form of this field: ", description.substr(0, description.find(". ")));
}

class Validator {
 public:
  void visit_root(const SchemaNode& root, const Value& object) {
    is_root_ = true;
    visit(root, object);
  }
  FieldErrors take() { return std::move(errors_); }

 private:
  void report(Kind kind, std::string message) {
    if (errors_.size() < kErrorsMax) {
      errors_.push_back({kind, path_, std::move(message)});
    } else if (errors_.size() == kErrorsMax) {
      errors_.push_back({Kind::kInvalid, "", concat("more than ", kErrorsMax, " errors; the rest is left out")});
    }
  }
  [[nodiscard]] bool is_full() const { return errors_.size() > kErrorsMax; }

  void visit(const SchemaNode& node, const Value& value) {
    const bool is_root = std::exchange(is_root_, false);
    if (is_full() || (value.is_null() && node.is_nullable)) return;
    if (!has_type(node, value)) {
      report(Kind::kTypeInvalid, concat("expected ", type_name(node), ", found ", wrong_type(node, value)));
      return;
    }
    check_enum(node, value);
    if (const std::string* text = value.as_string()) check_text(node, *text);
    if (is_number(value)) check_number(node, value);
    if (const json::Array* array = value.as_array()) check_array(node, *array);
    if (const json::Object* object = value.as_object()) check_object(node, *object, is_root);
    check_conditions(node, value);
  }

  static std::string wrong_type(const SchemaNode& node, const Value& value) {
    if (value.as_object() != nullptr || value.as_array() != nullptr || value.is_null()) {
      return std::string(to_string(value.type()));
    }
    std::string found = concat(to_string(value.type()), " ", describe(value));
    const std::string* text = value.as_string();
    const bool looks_right = text != nullptr && (node.type == NodeType::kInteger || node.type == NodeType::kNumber ||
                                                 node.type == NodeType::kBoolean);
    if (looks_right) {
      const Result<Value> unquoted = json::parse(*text);
      if (unquoted.ok() && has_type(node, *unquoted)) found.append("; leave out the quotes");
    }
    if (node.type == NodeType::kString && text == nullptr) found.append("; put it in quotes");
    return found;
  }

  void check_enum(const SchemaNode& node, const Value& value) {
    if (node.enum_values.empty()) return;
    if (std::find(node.enum_values.begin(), node.enum_values.end(), value) != node.enum_values.end()) return;
    std::vector<std::string> allowed;
    for (const Value& choice : node.enum_values) {
      const std::string* text = choice.as_string();
      allowed.push_back(text != nullptr && !text->empty() ? *text : json::dump(choice));
    }
    report(Kind::kNotSupported, concat(describe(value), " is not one of ", join(allowed, ", ")));
  }

  void check_text(const SchemaNode& node, const std::string& text) {
    if (node.length_min || node.length_max) {
      const std::size_t length = count_characters(text);
      if (node.length_min && length < *node.length_min) {
        report(Kind::kInvalid, length == 0
                                   ? std::string("must not be empty")
                                   : concat("has ", length, " characters, at least ", *node.length_min, " are needed"));
      }
      if (node.length_max && length > *node.length_max) {
        report(Kind::kTooLong, concat("has ", length, " characters, at most ", *node.length_max, " are allowed"));
      }
    }
    if (node.pattern != nullptr && !matches(*node.pattern, text)) {
      report(Kind::kInvalid, concat(describe(text), " ", why_not_matching(node)));
    }
    if (!node.format.empty() && !has_format(text, node.format)) {
      report(Kind::kInvalid, concat(describe(text), " is not ", format_hint(node.format)));
    }
  }

  void check_number(const SchemaNode& node, const Value& value) {
    const double number = number_of(value);
    const bool is_below =
        node.minimum && (node.is_minimum_exclusive ? number <= *node.minimum : number < *node.minimum);
    const bool is_above =
        node.maximum && (node.is_maximum_exclusive ? number >= *node.maximum : number > *node.maximum);
    if (is_below || is_above) {
      report(Kind::kInvalid, concat(describe(value), " is not ", range_of(node)));
      return;
    }
    if (node.multiple_of && std::remainder(number, *node.multiple_of) != 0) {
      report(Kind::kInvalid, concat(describe(value), " is not a multiple of ", plain_number(*node.multiple_of)));
    }
    const bool fits_int32 = number >= -0x1p31 && number < 0x1p31;
    const bool fits_int64 = number >= -0x1p63 && number < 0x1p63;
    if ((node.format == "int32" && !fits_int32) || (node.format == "int64" && !fits_int64)) {
      report(Kind::kInvalid, concat(describe(value), " does not fit ", node.format == "int32" ? "32" : "64", " bits"));
    }
  }

  static std::string range_of(const SchemaNode& node) {
    const std::string low =
        node.minimum ? concat(node.is_minimum_exclusive ? "above " : "at least ", plain_number(*node.minimum)) : "";
    const std::string high =
        node.maximum ? concat(node.is_maximum_exclusive ? "below " : "at most ", plain_number(*node.maximum)) : "";
    const bool is_closed = node.minimum && node.maximum && !node.is_minimum_exclusive && !node.is_maximum_exclusive;
    if (is_closed) return concat("from ", plain_number(*node.minimum), " to ", plain_number(*node.maximum));
    return low.empty() ? high : high.empty() ? low : concat(low, " and ", high);
  }

  void check_array(const SchemaNode& node, const json::Array& array) {
    if (node.items_min && array.size() < *node.items_min) {
      report(Kind::kInvalid, concat("has ", array.size(), " elements, at least ", *node.items_min, " are needed"));
    }
    if (node.items_max && array.size() > *node.items_max) {
      report(Kind::kTooMany, concat("has ", array.size(), " elements, at most ", *node.items_max, " are allowed"));
    }
    if (node.items != nullptr) {
      for (std::size_t i = 0; i < array.size() && !is_full(); ++i) {
        at_element(i, [&] { visit(*node.items, array[i]); });
      }
    }
    if (node.list_type == ListType::kMap) check_keys(node, array);
    if (node.list_type == ListType::kSet || node.is_unique) check_twins(array);
  }

  void check_twins(const json::Array& array) {
    std::map<std::string, std::size_t> seen;
    for (std::size_t i = 0; i < array.size() && !is_full(); ++i) {
      const auto [first, is_new] = seen.emplace(json::dump(array[i]), i);
      if (is_new) continue;
      at_element(i, [&, at = first->second] {
        report(Kind::kDuplicate, concat(describe(array[i]), " is there already at [", at, "]"));
      });
    }
  }

  void check_keys(const SchemaNode& node, const json::Array& array) {
    std::map<std::string, std::size_t> seen;
    for (std::size_t i = 0; i < array.size() && !is_full(); ++i) {
      if (array[i].as_object() == nullptr) continue;
      const std::optional<std::string> key = key_of(node, array[i], i);
      if (!key) continue;
      const auto [first, is_new] = seen.emplace(*key, i);
      if (is_new) continue;
      at_element(i, [&, at = first->second] {
        report(Kind::kDuplicate, concat("an element with ", *key, " is there already at [", at, "]"));
      });
    }
  }

  // "name \"a\", port 80"; nullopt, and an error, when a key is missing.
  std::optional<std::string> key_of(const SchemaNode& list, const Value& element, std::size_t index) {
    std::string key;
    for (const std::string& name : list.list_map_keys) {
      const SchemaNode& declared = *list.items->properties.find(name)->second;
      const Value* value = element.find(name);
      if ((value == nullptr || value->is_null()) && declared.default_value) value = &*declared.default_value;
      if (value == nullptr || value->is_null()) {
        // `required` in the schema of the element says so already.
        const auto& required = list.items->required;
        if (std::find(required.begin(), required.end(), name) != required.end()) return std::nullopt;
        at_element(index, [&] {
          at_member(name, [&] { report(Kind::kRequired, "is required: it tells the elements of the list apart"); });
        });
        return std::nullopt;
      }
      key.append(key.empty() ? "" : ", ").append(name).append(" ").append(json::dump(*value));
    }
    return key;
  }

  void check_object(const SchemaNode& node, const json::Object& object, bool is_root) {
    if (node.properties_min && object.size() < *node.properties_min) {
      report(Kind::kInvalid, concat("has ", object.size(), " members, at least ", *node.properties_min, " are needed"));
    }
    if (node.properties_max && object.size() > *node.properties_max) {
      report(Kind::kTooMany, concat("has ", object.size(), " members, at most ", *node.properties_max, " are allowed"));
    }
    for (const std::string& name : node.required) {
      const Value* value = object.find(name);
      const SchemaNode* declared = node.member(name);
      const bool counts_as_absent =
          value != nullptr && value->is_null() && declared != nullptr && !declared->is_nullable;
      if (value == nullptr || counts_as_absent) at_member(name, [&] { report(Kind::kRequired, "is required"); });
    }
    for (const json::Member& member : object) {
      if (is_full()) return;
      if (is_root && (member.name == "apiVersion" || member.name == "kind")) continue;
      const SchemaNode* declared = node.member(member.name);
      if (declared == nullptr || (member.value.is_null() && !declared->is_nullable)) continue;
      at_member(member.name, [&] { visit(*declared, member.value); });
    }
  }

  void check_conditions(const SchemaNode& node, const Value& value) {
    for (const SchemaNodePtr& condition : node.all_of) visit(*condition, value);
    if (!node.any_of.empty() && count_matches(node.any_of, value) == 0) {
      report(Kind::kInvalid, concat(describe(value), " has none of the allowed forms: ", reasons(node.any_of, value)));
    }
    if (!node.one_of.empty()) {
      const std::size_t matched = count_matches(node.one_of, value);
      if (matched == 0) {
        report(Kind::kInvalid,
               concat(describe(value), " has none of the allowed forms: ", reasons(node.one_of, value)));
      } else if (matched > 1) {
        report(Kind::kInvalid, concat(describe(value), " has ", matched, " forms of which only one is allowed"));
      }
    }
    if (node.not_of != nullptr && errors_of(*node.not_of, value).empty()) {
      report(Kind::kForbidden, concat(describe(value), " has a form that is not allowed"));
    }
  }

  static FieldErrors errors_of(const SchemaNode& condition, const Value& value) {
    Validator inner;
    inner.visit(condition, value);
    return inner.take();
  }

  static std::size_t count_matches(const std::vector<SchemaNodePtr>& conditions, const Value& value) {
    return static_cast<std::size_t>(
        std::count_if(conditions.begin(), conditions.end(),
                      [&](const SchemaNodePtr& condition) { return errors_of(*condition, value).empty(); }));
  }

  static std::string reasons(const std::vector<SchemaNodePtr>& conditions, const Value& value) {
    std::vector<std::string> out;
    for (const SchemaNodePtr& condition : conditions) {
      FieldErrors errors = errors_of(*condition, value);
      errors.resize(std::min<std::size_t>(errors.size(), 1));
      out.push_back(to_string(errors));
    }
    return join(out, "; or ");
  }

  template <class Visit>
  void at_member(std::string_view name, Visit visit_there) {
    const std::size_t size = path_.size();
    append_member_path(path_, name);
    visit_there();
    path_.resize(size);
  }
  template <class Visit>
  void at_element(std::size_t index, Visit visit_there) {
    const std::size_t size = path_.size();
    append_element_path(path_, index);
    visit_there();
    path_.resize(size);
  }

  bool is_root_ = false;
  std::string path_;
  FieldErrors errors_;
};

}  // namespace

FieldErrors StructuralSchema::validate(const Value& object) const {
  Validator validator;
  validator.visit_root(*root_, object);
  return validator.take();
}

}  // namespace margay::schema
