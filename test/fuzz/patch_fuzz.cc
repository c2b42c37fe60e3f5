// Patches: two documents, with a NUL between them. No patch of any kind crashes; what they give can be written and read
// again; a JSON patch is done up to where it failed, or wholly; applying a configuration again changes nothing.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/core/check.h"
#include "base/json/value.h"
#include "datastore/patch/apply.h"
#include "datastore/patch/json_patch.h"
#include "datastore/patch/kubernetes_lists.h"
#include "datastore/patch/merge_patch.h"
#include "datastore/patch/strategic_patch.h"

namespace {

using margay::WallTime;
using margay::json::Array;
using margay::json::Object;
using margay::json::Value;
namespace json = margay::json;
namespace patch = margay::patch;

bool has_null(const Value& value) {
  if (const Array* array = value.as_array()) return std::any_of(array->begin(), array->end(), has_null);
  if (const Object* object = value.as_object())
    return std::any_of(object->begin(), object->end(), [](const json::Member& m) { return has_null(m.value); });
  return value.is_null();
}

void check_readable(const Value& value) {
  const auto again = json::parse(json::dump(value));
  MARGAY_CHECK(again.ok() && *again == value);
}

void try_merge(const Value& document, const Value& change) {
  const Value merged = patch::merge_patch(document, change);
  MARGAY_CHECK(patch::merge_patch(merged, change) == merged);
  check_readable(merged);
  const Value made = patch::make_merge_patch(document, change);
  if (!has_null(change)) MARGAY_CHECK(patch::merge_patch(document, made) == change);
  check_readable(patch::merge_patch(document, patch::make_three_way_merge_patch(document, change, merged)));
}

void try_json_patch(const Value& document, const Value& change) {
  patch::JsonPatchLimits limits;
  limits.work_max = 1'000'000;
  const auto result = patch::apply_json_patch(document, change, limits);
  if (result.ok()) return check_readable(*result);
  MARGAY_CHECK(!result.error().message.empty());
  const auto failed = result.error().operation;
  if (!failed) return;
  const Array& operations = *change.as_array();
  MARGAY_CHECK(*failed < operations.size());
  const Array before(operations.begin(), operations.begin() + static_cast<std::ptrdiff_t>(*failed));
  MARGAY_CHECK(patch::apply_json_patch(document, before, limits).ok());
}

void try_strategic(const Value& document, const Value& change) {
  const auto result = patch::strategic_merge_patch(document, change);
  if (result.ok()) return check_readable(*result);
  MARGAY_CHECK(!result.error().message.empty());
}

void try_apply(const Value& live, const Value& config) {
  const patch::KubernetesLists types;
  const WallTime now{};
  const auto refused = patch::apply_configuration(live, config, {"fuzz", patch::OnConflict::kFail, now, ""}, types);
  if (!refused.ok()) MARGAY_CHECK(!refused.error().message.empty());
  const auto forced = patch::apply_configuration(live, config, {"fuzz", patch::OnConflict::kForce, now, ""}, types);
  if (!forced.ok()) {
    MARGAY_CHECK(forced.error().conflicts.empty());
    return;
  }
  if (refused.ok()) MARGAY_CHECK(*refused == *forced);
  check_readable(*forced);
  const WallTime later = now + std::chrono::seconds(1);
  const auto again = patch::apply_configuration(*forced, config, {"fuzz", patch::OnConflict::kFail, later, ""}, types);
  MARGAY_CHECK(again.ok() && *again == *forced);
}

void try_update(const Value& before, const Value& after) {
  const patch::KubernetesLists types;
  const Value updated = patch::update_managed_fields(before, after, {"fuzz", WallTime{}, "status"}, types);
  check_readable(updated);
  MARGAY_CHECK(patch::update_managed_fields(updated, updated, {"other", WallTime{}, ""}, types) == updated);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = text.find('\0');
  if (cut == std::string_view::npos) return 0;
  const auto document = json::parse(text.substr(0, cut));
  const auto change = json::parse(text.substr(cut + 1));
  if (!document.ok() || !change.ok()) return 0;
  try_merge(*document, *change);
  try_json_patch(*document, *change);
  try_strategic(*document, *change);
  // What a server keeps is an object.
  if (document->as_object() == nullptr) return 0;
  try_apply(*document, *change);
  try_apply({}, *document);
  try_update(*document, *change);
  try_update({}, *document);
  return 0;
}
