#include "agent/config/setting.h"

#include <array>
#include <bit>
#include <cstddef>
#include <vector>

#include "agent/config/settings_table.h"
#include "base/core/text.h"
#include "base/json/view.h"
#include "datastore/codec/codec.h"
#include "datastore/codec/validate.h"
#include "datastore/model/felix_configuration.h"
#include "re2/re2.h"

namespace margay::config {
namespace {

constexpr int kMarkBitsMin = 2;

// One contiguous table of all parts, made once.
const std::vector<Setting>& all_settings() {
  static const std::vector<Setting> all = [] {
    std::vector<Setting> rows;
    for (const auto part : {table::process(), table::host(), table::netfilter(), table::routes(), table::tunnels(),
                            table::bpf(), table::reporting()}) {
      rows.insert(rows.end(), part.begin(), part.end());
    }
    return rows;
  }();
  return all;
}

Status check_number(const Setting& setting, const json::Value& value) {
  const std::int64_t* number = value.as_integer();
  if (number == nullptr) return ok_status();
  if (*number < setting.range.min || *number > setting.range.max) {
    return invalid(concat(*number, " is not between ", setting.range.min, " and ", setting.range.max));
  }
  if (setting.form == Form::kMark && std::popcount(static_cast<std::uint64_t>(*number)) < kMarkBitsMin) {
    return invalid(concat(*number, " has fewer than ", kMarkBitsMin, " bits set"));
  }
  return ok_status();
}

Status check_text(const Setting& setting, const json::Value& value) {
  const std::string* text = value.as_string();
  if (text == nullptr) return ok_status();
  if (setting.form == Form::kPattern) {
    const re2::RE2 pattern(*text, re2::RE2::Quiet);
    if (!pattern.ok()) return invalid(concat(quoted(*text), " is no regular expression: ", pattern.error()));
  }
  if (setting.form == Form::kWord) {
    for (const std::string_view word : setting.words) {
      if (equals_ignoring_case(word, *text)) return ok_status();
    }
    std::string words;
    for (const std::string_view word : setting.words) words += (words.empty() ? "" : ", ") + std::string(word);
    return invalid(concat(quoted(*text), " is not one of ", words));
  }
  return ok_status();
}

std::string spec_path(const Setting& setting) { return concat("spec.", setting.name); }

// The first error at the setting's own place, the path relative to it.
Status first_of(const Setting& setting, const FieldErrors& errors) {
  const std::string path = spec_path(setting);
  for (const FieldError& error : errors) {
    if (!error.path.starts_with(path)) continue;
    const std::string rest = error.path.substr(path.size());
    if (!rest.empty() && rest[0] != '.' && rest[0] != '[') continue;
    return invalid(rest.empty() ? error.message : concat(rest, ": ", error.message));
  }
  return ok_status();
}

Result<json::Value> through_codec(const Setting& setting, const json::Value& value) {
  json::Value object;
  object["spec"][setting.name] = value;
  const std::string text = json::dump(object);
  json::Document document;
  MARGAY_ASSIGN_OR_RETURN(const json::View view, document.parse(text));
  model::FelixConfiguration decoded;
  MARGAY_RETURN_IF_ERROR(first_of(setting, codec::decode(view, decoded)));
  MARGAY_RETURN_IF_ERROR(first_of(setting, codec::validate(decoded)));
  json::Value encoded;
  codec::encode(decoded, encoded);
  const json::Value* found = encoded.find({"spec", setting.name});
  return found == nullptr ? value : *found;
}

bool says_none(const Setting& setting, const json::Value& value) {
  const bool is_text = setting.form == Form::kText || setting.form == Form::kPattern;
  return is_text && value.as_string() != nullptr && equals_ignoring_case(*value.as_string(), "none");
}

}  // namespace

std::string_view to_string(Effect effect) {
  switch (effect) {
    case Effect::kActs: return "acts";
    case Effect::kNotYet: return "not yet";
    case Effect::kNone: return "none";
  }
  return "";
}

std::span<const Setting> settings() { return all_settings(); }

const Setting* find_setting(std::string_view name) {
  for (const Setting& setting : all_settings()) {
    if (setting.name == name) return &setting;
  }
  return nullptr;
}

const Setting* find_local(std::string_view name) {
  for (const Setting& setting : all_settings()) {
    if (equals_ignoring_case(setting.local_name, name) || equals_ignoring_case(setting.name, name)) return &setting;
  }
  return nullptr;
}

Result<json::Value> canonical(const Setting& setting, const json::Value& value) {
  if (value.is_null()) return value;
  if (says_none(setting, value)) {
    if (!setting.may_be_none) return invalid("it cannot be none");
    return json::Value("");
  }
  MARGAY_RETURN_IF_ERROR(check_number(setting, value));
  MARGAY_RETURN_IF_ERROR(check_text(setting, value));
  return through_codec(setting, value);
}

std::string text_of(const json::Value& value) {
  if (value.is_null()) return "nothing";
  if (const std::string* text = value.as_string()) return text->empty() ? "\"\"" : *text;
  return json::dump(value);
}

}  // namespace margay::config
