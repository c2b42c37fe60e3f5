// How a row of the table is written. For settings_*.cc.
#pragma once

#include "agent/config/setting.h"
#include "datastore/model/enum.h"

namespace margay::config {

constexpr Effect kActs = Effect::kActs;
constexpr Effect kNotYet = Effect::kNotYet;
constexpr Effect kNone = Effect::kNone;

constexpr Setting row(std::string_view name, Form form, std::string_view fallback, Effect effect) {
  return Setting{.name = name, .local_name = name, .form = form, .fallback = fallback, .effect = effect};
}
template <model::NamedEnum E>
constexpr Setting word(std::string_view name, std::string_view fallback, Effect effect) {
  Setting setting = row(name, Form::kWord, fallback, effect);
  setting.words = model::EnumText<E>::kWords;
  return setting;
}
constexpr Setting within(Setting setting, std::int64_t min, std::int64_t max) {
  setting.range = Range{min, max};
  return setting;
}
// The name in files and the environment where it is not that of the field.
constexpr Setting known_as(std::string_view local_name, Setting setting) {
  setting.local_name = local_name;
  return setting;
}
constexpr Setting noted(std::string_view note, Setting setting) {
  setting.note = note;
  return setting;
}
constexpr Setting never_none(Setting setting) {
  setting.may_be_none = false;
  return setting;
}

}  // namespace margay::config
