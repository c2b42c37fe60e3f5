#include "ctl/verbs/label_edit.h"

#include <algorithm>

#include "base/core/text.h"
#include "datastore/selector/label_selector.h"

namespace margay::verbs {
namespace {

Status check_key(std::string_view key) {
  const std::string problem = selector::label_key_problem(key);
  return problem.empty() ? ok_status() : Status(invalid(concat("label key: ", problem)));
}

Status check_value(std::string_view value) {
  const std::string problem = selector::label_value_problem(value);
  return problem.empty() ? ok_status() : Status(invalid(concat("label value: ", problem)));
}

Status add_edit(LabelEdits& edits, std::string_view word, bool removes) {
  const auto parts = split_once(word, '=');
  if (removes || (!parts && word.ends_with('-'))) {
    if (removes && parts) return invalid(concat(quoted(word), ": --remove takes keys without values"));
    const std::string_view key = word.ends_with('-') ? word.substr(0, word.size() - 1) : word;
    MARGAY_RETURN_IF_ERROR(check_key(key));
    edits.remove.emplace(key);
    return ok_status();
  }
  if (!parts) return invalid(concat(quoted(word), " is not KEY=VALUE or KEY-"));
  MARGAY_RETURN_IF_ERROR(check_key(parts->first));
  MARGAY_RETURN_IF_ERROR(check_value(parts->second));
  if (!edits.set.emplace(parts->first, parts->second).second) {
    return invalid(concat("label ", parts->first, " is given twice"));
  }
  return ok_status();
}

bool is_edit(std::string_view word) { return word.find('=') != std::string_view::npos || word.ends_with('-'); }

// Where the labels begin.
std::size_t first_label(const std::vector<std::string>& words, bool removes) {
  const auto found = std::find_if(words.begin(), words.end(), is_edit);
  const std::size_t kind_and_name = !words.empty() && words[0].find('/') != std::string::npos ? 1 : 2;
  const auto at = static_cast<std::size_t>(found - words.begin());
  return removes ? std::min({at, kind_and_name, words.size()}) : at;
}

}  // namespace

Result<LabelWords> parse_label_words(const std::vector<std::string>& words, bool removes) {
  LabelWords result;
  const std::size_t labels = first_label(words, removes);
  result.targets.assign(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(labels));
  for (std::size_t i = labels; i < words.size(); ++i) MARGAY_RETURN_IF_ERROR(add_edit(result.edits, words[i], removes));
  if (result.edits.set.empty() && result.edits.remove.empty()) return invalid("no label is given: KEY=VALUE or KEY-");
  for (const std::string& key : result.edits.remove) {
    if (result.edits.set.contains(key)) return invalid(concat("label ", key, " is both set and removed"));
  }
  return result;
}

Result<bool> edit_labels(json::Value& object, const LabelEdits& edits, bool may_overwrite) {
  json::Value& labels = object["metadata"]["labels"];
  if (labels.as_object() == nullptr) labels = json::Object();
  std::vector<std::string> kept;
  bool has_changed = false;
  for (const auto& [key, value] : edits.set) {
    const json::Value* now = labels.find(key);
    const std::string* text = now == nullptr ? nullptr : now->as_string();
    if (text != nullptr && *text == value) continue;
    if (text != nullptr && !may_overwrite) kept.push_back(concat("label ", key, " has the value ", quoted(*text)));
    labels[key] = value;
    has_changed = true;
  }
  for (const std::string& key : edits.remove) has_changed |= labels.as_object()->erase(key);
  if (!kept.empty()) return Error{ErrorCode::kInvalid, join(kept, "; ") + "; --overwrite changes it"};
  return has_changed;
}

}  // namespace margay::verbs
