#include <algorithm>
#include <string_view>
#include <utility>

#include "base/core/text.h"
#include "datastore/codec/any_kind.h"
#include "datastore/codec/codec.h"
#include "datastore/codec/rules.h"
#include "datastore/codec/validate.h"

namespace margay::codec {
namespace {

// Kinds whose names are bound to more than Kubernetes demands, but that have no rules beyond that.
NameForm name_form(model::Kind kind) {
  return kind == model::Kind::kClusterInformation ? NameForm::kDefault : NameForm::kSubdomain;
}

const model::ObjectMeta& object_meta(const model::ObjectMeta& metadata) { return metadata; }

// With what is kept of it.
model::ObjectMeta object_meta(const model::PodMeta& metadata) {
  model::ObjectMeta out;
  out.name = metadata.name;
  out.name_space = metadata.name_space.view();
  out.labels = metadata.labels;
  out.annotations = metadata.annotations;
  return out;
}

template <class T>
FieldErrors validate_any(const T& object) {
  if constexpr (requires { validate(object); }) {
    return validate(object);
  } else {
    FieldErrors errors;
    check_metadata(At(errors).member("metadata"), object_meta(object.metadata), name_form(T::kKind),
                   model::info(T::kKind).is_namespaced);
    return errors;
  }
}

// "spec.ingress[0]" holds "spec.ingress[0].action", not "spec.ingress[01]".
bool holds(std::string_view outer, std::string_view inner) {
  return inner.starts_with(outer) &&
         (inner.size() == outer.size() || outer.empty() || inner[outer.size()] == '.' || inner[outer.size()] == '[');
}

// A rule saw a default in place of what could not be read.
bool is_about_unread(const FieldError& rule, const FieldErrors& unread) {
  return std::any_of(unread.begin(), unread.end(), [&](const FieldError& error) {
    return holds(error.path, rule.path) || holds(rule.path, error.path);
  });
}

}  // namespace

FieldErrors check(model::Kind kind, json::View object) {
  return visit_kind(kind, [&object](auto decoded) {
    FieldErrors errors = decode(object, decoded);
    FieldErrors rules = validate_any(decoded);
    std::erase_if(rules, [&errors](const FieldError& rule) { return is_about_unread(rule, errors); });
    errors.insert(errors.end(), std::make_move_iterator(rules.begin()), std::make_move_iterator(rules.end()));
    return errors;
  });
}

FieldErrors check(model::Kind kind, const json::Value& object) {
  json::Document document;
  const Result<json::View> view = document.parse(json::dump(object));
  if (!view.ok()) return {{FieldError::Kind::kInvalid, "", view.error().message}};
  return check(kind, *view);
}

}  // namespace margay::codec
