#include "ctl/node/mask.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/core/text.h"

namespace margay::node {
namespace {

using json::Value;

constexpr std::string_view kMasked = "***";
constexpr std::array<std::string_view, 5> kSecretWords = {"password", "passwd", "token", "privatekey", "credential"};
constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

bool names_a_secret(std::string_view name) {
  const std::string lower = to_lower(name);
  return std::any_of(kSecretWords.begin(), kSecretWords.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

void mask_texts(Value& value) {
  if (value.as_string() != nullptr) {
    value = kMasked;
  } else if (json::Object* const object = value.as_object()) {
    for (json::Member& member : *object) mask_texts(member.value);
  } else if (json::Array* const array = value.as_array()) {
    for (Value& element : *array) mask_texts(element);
  }
}

void mask_environment(Value& variables) {
  if (variables.as_array() == nullptr) return;
  for (Value& variable : *variables.as_array()) {
    if (Value* const value = variable.find("value")) mask_texts(*value);
  }
}

void mask_below(Value& value) {
  if (json::Array* const array = value.as_array()) {
    for (Value& element : *array) mask_below(element);
    return;
  }
  json::Object* const object = value.as_object();
  if (object == nullptr) return;
  object->erase(kLastApplied);
  for (json::Member& member : *object) {
    if (member.name == "env") mask_environment(member.value);
    if (member.value.as_string() != nullptr && names_a_secret(member.name)) member.value = kMasked;
    mask_below(member.value);
  }
}

}  // namespace

void mask_secrets(Value& object) {
  if (object.string_at({"kind"}) == "Secret") {
    for (const std::string_view name : {"data", "stringData"}) {
      if (Value* const data = object.find(name)) mask_texts(*data);
    }
  }
  mask_below(object);
}

}  // namespace margay::node
