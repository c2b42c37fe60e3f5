// What the rules on objects (validate.h) are written with. For this folder's own .cc files.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/core/field_error.h"
#include "base/core/string_map.h"
#include "datastore/codec/input.h"
#include "datastore/model/meta.h"

namespace margay::codec {

// A place in an object, and the errors found so far. A child is valid as long as its parent is.
class At {
 public:
  explicit At(FieldErrors& errors) : errors_(errors) {}
  At(const At&) = delete;
  At& operator=(const At&) = delete;

  [[nodiscard]] At member(std::string_view name) const { return {*this, Place::Step::kMember, name, 0}; }
  [[nodiscard]] At element(std::size_t index) const { return {*this, Place::Step::kElement, {}, index}; }
  [[nodiscard]] At key(std::string_view name) const { return {*this, Place::Step::kKey, name, 0}; }

  void error(FieldError::Kind kind, std::string message) const;
  void required(std::string message) const { error(FieldError::Kind::kRequired, std::move(message)); }
  void invalid(std::string message) const { error(FieldError::Kind::kInvalid, std::move(message)); }
  void forbidden(std::string message) const { error(FieldError::Kind::kForbidden, std::move(message)); }

 private:
  At(const At& parent, Place::Step step, std::string_view name, std::size_t index)
      : place_{parent.is_root_ ? nullptr : &parent.place_, step, name, index},
        is_root_(false),
        errors_(parent.errors_) {}

  Place place_;
  bool is_root_ = true;
  FieldErrors& errors_;
};

// A selector that may be empty. global() may not stand in it; in kRuleNamespaces it may, alone.
enum class SelectorUse { kPlain, kRuleNamespaces };
void check_selector(const At& at, std::string_view selector, SelectorUse use = SelectorUse::kPlain);

void check_labels(const At& at, const StringMap& labels);
void check_annotations(const At& at, const StringMap& annotations);

// How the objects of a kind may be named.
enum class NameForm {
  kSubdomain,      // DNS-1123 subdomain: what Kubernetes allows
  kLabel,          // DNS-1123 label: tiers
  kPolicy,         // a label, or two with a dot; knp.default. and ossg.default. before a subdomain
  kGlobalPolicy,   // a label, or two with a dot; kanp., kbanp., kcnp. with a tier before a subdomain
  kDefault,        // "default"
  kDefaultOrNode,  // "default", or "node." and the name of a node
};
void check_metadata(const At& at, const model::ObjectMeta& metadata, NameForm form, bool is_namespaced);

// "a" or "a.b"; DNS-1123 labels without a limit of their own.
bool is_dns_label(std::string_view text);
bool is_dns_subdomain(std::string_view text);

}  // namespace margay::codec
