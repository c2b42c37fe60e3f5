#include "datastore/codec/input.h"

#include <optional>

#include "base/core/text.h"

namespace margay::codec {
namespace {

constexpr std::size_t kShownBytesMax = 60;

std::string with_article(json::Type type) {
  const std::string_view word = to_string(type);
  if (type == json::Type::kNull) return std::string(word);
  const bool is_vowel = word.find_first_of("aeiou") == 0;
  return concat(is_vowel ? "an " : "a ", word);
}

}  // namespace

std::string Place::path() const {
  const std::string before = parent == nullptr ? std::string() : parent->path();
  switch (step) {
    case Step::kElement: return concat(before, '[', index, ']');
    case Step::kKey: return concat(before, '[', name, ']');
    case Step::kMember: break;
  }
  return before.empty() ? std::string(name) : concat(before, '.', name);
}

void Input::error(FieldError::Kind kind, std::string message) const {
  errors->push_back({kind, place == nullptr ? std::string() : place->path(), std::move(message)});
}

void Input::wrong_type(std::string_view expected) const {
  const std::optional<std::string_view> text = view.string();
  const std::string found =
      text && text->size() <= kShownBytesMax ? concat("the string ", quoted(*text)) : with_article(view.type());
  error(FieldError::Kind::kTypeInvalid, concat("found ", found, ", expected ", expected));
}

}  // namespace margay::codec
