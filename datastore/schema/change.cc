// The one rule of CEL that is kept here: "self == oldSelf".
#include "base/core/text.h"
#include "datastore/schema/node.h"
#include "datastore/schema/structural.h"

namespace margay::schema {
namespace {

using json::Value;

void compare(const SchemaNode& node, const Value& before, const Value& after, std::string& path, FieldErrors& errors) {
  if (!node.immutable_message.empty() && before != after) {
    errors.push_back({FieldError::Kind::kInvalid, path,
                      concat("found ", json::dump(after), ", was ", json::dump(before), ": ", node.immutable_message)});
    return;
  }
  if (after.as_object() == nullptr) return;
  for (const json::Member& member : *after.as_object()) {
    const SchemaNode* declared = node.member(member.name);
    const Value* old = before.find(member.name);
    if (declared == nullptr || old == nullptr) continue;
    const std::size_t size = path.size();
    append_member_path(path, member.name);
    compare(*declared, *old, member.value, path, errors);
    path.resize(size);
  }
}

}  // namespace

FieldErrors StructuralSchema::validate_change(const Value& before, const Value& after) const {
  FieldErrors errors;
  std::string path;
  compare(*root_, before, after, path, errors);
  return errors;
}

}  // namespace margay::schema
