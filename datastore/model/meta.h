// What every object has besides its own fields. Source: Kubernetes API conventions, "Metadata" and "Typical status
// properties".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/string_map.h"
#include "base/core/time.h"
#include "datastore/model/enum.h"
#include "datastore/model/key.h"

namespace margay::model {

struct OwnerReference {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;
  bool controller = false;            // this owner manages the object
  bool block_owner_deletion = false;  // the owner stays until this object is gone

  friend bool operator==(const OwnerReference&, const OwnerReference&) = default;
};

struct ObjectMeta {
  std::string name;
  std::string name_space;     // "" for cluster-scoped kinds
  std::string generate_name;  // the server makes a name that begins so, when name is empty
  std::string uid;
  std::string resource_version;  // opaque; equal means unchanged
  std::int64_t generation = 0;   // counts changes of the spec
  StringMap labels;
  StringMap annotations;
  std::optional<WallTime> creation_timestamp;
  std::optional<WallTime> deletion_timestamp;  // set: is to go once finalizers is empty
  std::vector<std::string> finalizers;
  std::vector<OwnerReference> owner_references;

  friend bool operator==(const ObjectMeta&, const ObjectMeta&) = default;
};

enum class ConditionStatus { kUnknown, kTrue, kFalse };
template <>
struct EnumText<ConditionStatus> {
  static constexpr std::string_view kWords[] = {"Unknown", "True", "False"};
};

// One aspect of an object's state, as its controller sees it.
struct Condition {
  std::string type;
  ConditionStatus status = ConditionStatus::kUnknown;
  std::int64_t observed_generation = 0;  // 0: not said
  std::optional<WallTime> last_transition_time;
  std::string reason;   // one word for programs
  std::string message;  // for people

  friend bool operator==(const Condition&, const Condition&) = default;
};

// For kinds whose status is conditions and nothing else.
struct ConditionsStatus {
  std::vector<Condition> conditions;

  friend bool operator==(const ConditionsStatus&, const ConditionsStatus&) = default;
};

// A key of a Secret in the namespace of the agent.
struct SecretKeySelector {
  std::string name;
  std::string key;
  bool optional = false;  // nothing is wrong when it does not exist

  friend bool operator==(const SecretKeySelector&, const SecretKeySelector&) = default;
};

struct SecretReference {
  std::optional<SecretKeySelector> secret_key_ref;

  friend bool operator==(const SecretReference&, const SecretReference&) = default;
};

// LabelSelector as objects carry it (Kubernetes documentation, "Labels and Selectors"). What it matches is said by
// datastore/selector/label_selector.h.
enum class LabelOperator { kIn, kNotIn, kExists, kDoesNotExist };
template <>
struct EnumText<LabelOperator> {
  static constexpr std::string_view kWords[] = {"In", "NotIn", "Exists", "DoesNotExist"};
};

struct LabelTerm {
  std::string key;
  LabelOperator op = LabelOperator::kIn;
  std::vector<std::string> values;

  friend bool operator==(const LabelTerm&, const LabelTerm&) = default;
};

// All of it holds; empty matches everything.
struct LabelTerms {
  StringMap match_labels;
  std::vector<LabelTerm> match_expressions;

  friend bool operator==(const LabelTerms&, const LabelTerms&) = default;
};

}  // namespace margay::model
