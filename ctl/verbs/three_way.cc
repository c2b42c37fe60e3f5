#include "ctl/verbs/three_way.h"

#include <map>

namespace margay::verbs {
namespace {

using json::Value;

// Go's encoder escapes these so that JSON can stand in HTML; they occur in strings only.
std::string escaped_as_go_does(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '<') {
      out.append("\\u003c");
    } else if (c == '>') {
      out.append("\\u003e");
    } else if (c == '&') {
      out.append("\\u0026");
    } else if (text.substr(i, 3) == "\xe2\x80\xa8" || text.substr(i, 3) == "\xe2\x80\xa9") {
      out.append(text[i + 2] == '\xa8' ? "\\u2028" : "\\u2029");
      i += 2;
    } else {
      out.push_back(c);
    }
  }
  return out;
}

const Value* member_of(const Value* value, std::string_view name) {
  return value == nullptr ? nullptr : value->find(name);
}

void remove_what_is_gone(const Value* last, const json::Object& wanted, json::Object& live) {
  const json::Object* before = last == nullptr ? nullptr : last->as_object();
  if (before == nullptr) return;
  for (const json::Member& member : *before) {
    if (wanted.find(member.name) == nullptr) live.erase(member.name);
  }
}

}  // namespace

Value in_order(const Value& value) {
  if (const json::Array* list = value.as_array()) {
    json::Array out;
    for (const Value& element : *list) out.push_back(in_order(element));
    return out;
  }
  const json::Object* object = value.as_object();
  if (object == nullptr) return value;
  std::map<std::string_view, const Value*> members;
  for (const json::Member& member : *object) members[member.name] = &member.value;
  json::Object out;
  for (const auto& [name, member] : members) out.append_new(std::string(name), in_order(*member));
  return out;
}

std::string last_applied_text(const Value& object) {
  Value copy = object;
  Value& annotations = copy["metadata"]["annotations"];
  if (annotations.as_object() == nullptr) annotations = json::Object();
  annotations.as_object()->erase(kLastAppliedAnnotation);
  return escaped_as_go_does(json::dump(in_order(copy))) + "\n";
}

Value with_last_applied(Value object) {
  std::string text = last_applied_text(object);
  Value& annotations = object["metadata"]["annotations"];
  if (annotations.as_object() == nullptr) annotations = json::Object();
  annotations[kLastAppliedAnnotation] = std::move(text);
  return object;
}

std::optional<Value> last_applied_of(const Value& live) {
  const std::string_view text = live.string_at({"metadata", "annotations", kLastAppliedAnnotation});
  if (text.empty()) return std::nullopt;
  auto parsed = json::parse(text);
  if (!parsed.ok() || parsed->as_object() == nullptr) return std::nullopt;
  return *std::move(parsed);
}

Value three_way_merge(const Value* last, const Value& wanted, const Value& live) {
  const json::Object* members = wanted.as_object();
  if (members == nullptr) return wanted;
  json::Object out = live.as_object() == nullptr ? json::Object() : *live.as_object();
  for (const json::Member& member : *members) {
    if (member.value.is_null()) {
      out.erase(member.name);
      continue;
    }
    const Value nothing;
    const Value* now = out.find(member.name);
    Value merged = three_way_merge(member_of(last, member.name), member.value, now == nullptr ? nothing : *now);
    out[member.name] = std::move(merged);
  }
  remove_what_is_gone(last, *members, out);
  return out;
}

Value applied_to(const Value& live, const Value& wanted) {
  const std::optional<Value> last = last_applied_of(live);
  Value annotated = with_last_applied(wanted);
  const std::optional<Value> next = last_applied_of(annotated);
  // Another program may have written the same in other words; that is no change.
  if (last && next && *last == *next) {
    annotated["metadata"]["annotations"][kLastAppliedAnnotation] =
        live.string_at({"metadata", "annotations", kLastAppliedAnnotation});
  }
  return three_way_merge(last ? &*last : nullptr, annotated, live);
}

}  // namespace margay::verbs
