#include "datastore/patch/json_patch.h"

#include <algorithm>

#include "base/core/text.h"
#include "datastore/patch/json_pointer.h"

namespace margay::patch {
namespace {

using json::Array;
using json::Member;
using json::Object;
using json::Value;
using Kind = JsonPatchError::Kind;

// Why an operation failed; its index and path are added above.
struct Problem {
  Kind kind;
  std::string message;
};
template <class T>
using Outcome = Result<T, Problem>;
using Done = Outcome<std::monostate>;

Done done() { return Done(std::monostate{}); }
Problem malformed(std::string message) { return {Kind::kMalformed, std::move(message)}; }
Problem not_applicable(std::string message) { return {Kind::kNotApplicable, std::move(message)}; }

enum class Verb { kAdd, kRemove, kReplace, kMove, kCopy, kTest };

struct PatchOperation {
  Verb verb = Verb::kTest;
  PointerTokens path;
  PointerTokens from;            // move, copy
  const Value* value = nullptr;  // add, replace, test
};

std::optional<Verb> parse_verb(std::string_view word) {
  if (word == "add") return Verb::kAdd;
  if (word == "remove") return Verb::kRemove;
  if (word == "replace") return Verb::kReplace;
  if (word == "move") return Verb::kMove;
  if (word == "copy") return Verb::kCopy;
  if (word == "test") return Verb::kTest;
  return std::nullopt;
}

Outcome<PointerTokens> pointer_member(const Value& operation, std::string_view name) {
  const Value* member = operation.find(name);
  if (member == nullptr) return malformed(concat("\"", name, "\" is missing"));
  if (member->as_string() == nullptr)
    return malformed(concat("\"", name, "\" must be a string, found ", to_string(member->type())));
  Result<PointerTokens> tokens = parse_pointer(*member->as_string());
  if (!tokens.ok()) return malformed(concat("\"", name, "\": ", tokens.error().message));
  return std::move(tokens).value();
}

// RFC 6902 §4: members an operation does not define are ignored.
Outcome<PatchOperation> parse_patch_operation(const Value& value) {
  if (value.as_object() == nullptr) return malformed(concat("expected an object, found ", to_string(value.type())));
  const std::string_view word = value.string_at({"op"});
  const std::optional<Verb> verb = parse_verb(word);
  if (!verb) return malformed(concat("\"op\" must be add, remove, replace, move, copy or test, found ", quoted(word)));
  PatchOperation operation;
  operation.verb = *verb;
  MARGAY_ASSIGN_OR_RETURN(operation.path, pointer_member(value, "path"));
  if (*verb == Verb::kMove || *verb == Verb::kCopy) {
    MARGAY_ASSIGN_OR_RETURN(operation.from, pointer_member(value, "from"));
  }
  if (*verb == Verb::kAdd || *verb == Verb::kReplace || *verb == Verb::kTest) {
    operation.value = value.find("value");
    if (operation.value == nullptr) return malformed("\"value\" is missing");
  }
  return operation;
}

struct Measure {
  std::size_t values = 0;
  std::size_t bytes = 0;
  std::size_t depth = 0;
};

void measure(const Value& value, std::size_t depth, Measure& sum) {
  constexpr std::size_t kScalarBytes = 8;
  sum.values += 1;
  sum.bytes += kScalarBytes;
  if (const std::string* text = value.as_string()) sum.bytes += text->size();
  const Array* array = value.as_array();
  const Object* object = value.as_object();
  if (array != nullptr || object != nullptr) sum.depth = std::max(sum.depth, depth + 1);
  if (array != nullptr) {
    for (const Value& element : *array) measure(element, depth + 1, sum);
  }
  if (object != nullptr) {
    for (const Member& member : *object) {
      sum.bytes += member.name.size();
      measure(member.value, depth + 1, sum);
    }
  }
}

class Applier {
 public:
  Applier(Value& document, const JsonPatchLimits& limits) : document_(document), limits_(limits) {}

  Done apply(const PatchOperation& operation) {
    switch (operation.verb) {
      case Verb::kAdd: return add(operation.path, *operation.value);
      case Verb::kRemove: return remove(operation.path);
      case Verb::kReplace: return replace(operation.path, *operation.value);
      case Verb::kMove: return move(operation.from, operation.path);
      case Verb::kCopy: return copy(operation.from, operation.path);
      case Verb::kTest: return test(operation.path, *operation.value);
    }
    MARGAY_CHECK(!"Verb out of range");
  }

 private:
  Done spend(std::size_t work) {
    work_ += work;
    if (work_ > limits_.work_max) return Problem{Kind::kLimitExceeded, "the patch costs too much to apply"};
    return done();
  }

  static std::string place(const PointerTokens& path, std::size_t depth) {
    return quoted(format_pointer(PointerTokens(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(depth))));
  }

  static Problem bad_index(const PointerTokens& path, std::size_t at, std::size_t size) {
    return not_applicable(
        concat(quoted(path[at]), " is no index of the array at ", place(path, at), ", which has ", size, " elements"));
  }

  static Problem no_container(const PointerTokens& path, std::size_t at, const Value& value) {
    return not_applicable(
        concat("at ", place(path, at), " is ", to_string(value.type()), ", which has no ", quoted(path[at])));
  }

  // What `value` (at the first `at` tokens) has under token `at`.
  Outcome<Value*> step(Value& value, const PointerTokens& path, std::size_t at) {
    if (Array* array = value.as_array()) {
      const auto index = parse_array_index(path[at]);
      if (!index || *index >= array->size()) return bad_index(path, at, array->size());
      return &(*array)[*index];
    }
    Object* object = value.as_object();
    if (object == nullptr) return no_container(path, at, value);
    MARGAY_RETURN_IF_ERROR(spend(object->size()));
    Value* member = object->find(path[at]);
    if (member == nullptr) return not_applicable(concat("there is no ", place(path, at + 1)));
    return member;
  }

  Outcome<Value*> walk(const PointerTokens& path, std::size_t depth) {
    Value* value = &document_;
    for (std::size_t at = 0; at < depth; ++at) {
      MARGAY_ASSIGN_OR_RETURN(value, step(*value, path, at));
    }
    return value;
  }
  Outcome<Value*> find(const PointerTokens& path) { return walk(path, path.size()); }

  Done check_depth(const PointerTokens& path, const Measure& added) {
    MARGAY_RETURN_IF_ERROR(spend(added.values));
    if (path.size() + added.depth <= limits_.depth_max) return done();
    return Problem{Kind::kLimitExceeded, concat("the document would be deeper than ", limits_.depth_max, " levels")};
  }

  Done check_depth(const PointerTokens& path, const Value& added) {
    Measure sum;
    measure(added, 0, sum);
    return check_depth(path, sum);
  }

  Done add(const PointerTokens& path, Value value) {
    MARGAY_RETURN_IF_ERROR(check_depth(path, value));
    return put(path, std::move(value));
  }

  Done put(const PointerTokens& path, Value value) {
    if (path.empty()) {
      document_ = std::move(value);
      return done();
    }
    const std::size_t last = path.size() - 1;
    MARGAY_ASSIGN_OR_RETURN(Value * parent, walk(path, last));
    if (Array* array = parent->as_array()) return insert(*array, path, std::move(value));
    Object* object = parent->as_object();
    if (object == nullptr) return no_container(path, last, *parent);
    MARGAY_RETURN_IF_ERROR(spend(object->size()));
    (*object)[path[last]] = std::move(value);
    return done();
  }

  Done insert(Array& array, const PointerTokens& path, Value value) {
    const std::string& token = path.back();
    const auto index = token == "-" ? std::optional(array.size()) : parse_array_index(token);
    if (!index || *index > array.size()) return bad_index(path, path.size() - 1, array.size());
    MARGAY_RETURN_IF_ERROR(spend(array.size() - *index));
    array.insert(array.begin() + static_cast<std::ptrdiff_t>(*index), std::move(value));
    return done();
  }

  Done remove(const PointerTokens& path) {
    if (path.empty()) return not_applicable("the whole document cannot be removed");
    MARGAY_RETURN_IF_ERROR(find(path));
    const std::size_t last = path.size() - 1;
    MARGAY_ASSIGN_OR_RETURN(Value * parent, walk(path, last));
    if (Array* array = parent->as_array()) {
      const std::size_t index = parse_array_index(path[last]).value_or(0);
      MARGAY_RETURN_IF_ERROR(spend(array->size() - index));
      array->erase(array->begin() + static_cast<std::ptrdiff_t>(index));
    } else {
      MARGAY_RETURN_IF_ERROR(spend(parent->as_object()->size()));
      parent->as_object()->erase(path[last]);
    }
    return done();
  }

  Done replace(const PointerTokens& path, const Value& value) {
    MARGAY_RETURN_IF_ERROR(check_depth(path, value));
    MARGAY_ASSIGN_OR_RETURN(Value * target, find(path));
    *target = value;
    return done();
  }

  Done move(const PointerTokens& from, const PointerTokens& to) {
    MARGAY_ASSIGN_OR_RETURN(Value * source, find(from));
    if (from == to) return done();
    if (from.size() < to.size() && std::equal(from.begin(), from.end(), to.begin()))
      return not_applicable(concat(place(from, from.size()), " cannot be moved into itself"));
    MARGAY_RETURN_IF_ERROR(check_depth(to, *source));
    Value moved = std::move(*source);
    MARGAY_RETURN_IF_ERROR(remove(from));
    return put(to, std::move(moved));
  }

  Done copy(const PointerTokens& from, const PointerTokens& to) {
    MARGAY_ASSIGN_OR_RETURN(const Value* source, find(from));
    Measure sum;
    measure(*source, 0, sum);
    copied_bytes_ += sum.bytes;
    if (copied_bytes_ > limits_.copied_bytes_max)
      return Problem{Kind::kLimitExceeded,
                     concat("\"copy\" operations may add at most ", limits_.copied_bytes_max, " bytes")};
    MARGAY_RETURN_IF_ERROR(check_depth(to, sum));
    return put(to, *source);
  }

  Done test(const PointerTokens& path, const Value& expected) {
    MARGAY_ASSIGN_OR_RETURN(const Value* found, find(path));
    if (*found == expected) return done();
    return Problem{Kind::kTestFailed, "the value there is not the one expected"};
  }

  Value& document_;
  const JsonPatchLimits& limits_;
  std::uint64_t work_ = 0;
  std::size_t copied_bytes_ = 0;
};

JsonPatchError at_operation(const Problem& problem, std::size_t index, const Value& operation) {
  JsonPatchError error{problem.kind, index, std::string(operation.string_at({"path"})), {}};
  error.message =
      concat("operation ", index, " (", operation.string_at({"op"}), " ", quoted(error.path), "): ", problem.message);
  return error;
}

}  // namespace

Result<Value, JsonPatchError> apply_json_patch(Value document, const Value& patch, const JsonPatchLimits& limits) {
  const Array* operations = patch.as_array();
  if (operations == nullptr)
    return JsonPatchError{Kind::kMalformed, std::nullopt, "",
                          concat("a JSON patch is an array of operations, found ", to_string(patch.type()))};
  if (operations->size() > limits.operations_max)
    return JsonPatchError{
        Kind::kLimitExceeded, std::nullopt, "",
        concat("a JSON patch may have at most ", limits.operations_max, " operations, found ", operations->size())};
  Applier applier(document, limits);
  for (std::size_t index = 0; index < operations->size(); ++index) {
    const Value& operation = (*operations)[index];
    Outcome<PatchOperation> parsed = parse_patch_operation(operation);
    Done outcome = parsed.ok() ? applier.apply(*parsed) : Done(std::move(parsed).error());
    if (!outcome.ok()) return at_operation(outcome.error(), index, operation);
  }
  return document;
}

}  // namespace margay::patch
