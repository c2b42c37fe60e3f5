#include "ctl/command/parse.h"

#include <algorithm>

#include "base/core/text.h"
#include "base/core/time_text.h"
#include "ctl/command/nearest.h"

namespace margay::command {
namespace {

using Step = Result<std::monostate, UsageError>;

constexpr int kLevelMax = 10;

std::vector<std::string> flag_names(const std::vector<const Spec*>& path) {
  std::vector<std::string> names;
  for (const Spec* spec : path) {
    for (const FlagGroup& group : spec->flags) {
      for (const Flag& flag : group) {
        if (!flag.is_hidden) names.emplace_back(flag.name);
      }
    }
  }
  return names;
}

std::vector<std::string> child_words(const Spec& parent) {
  std::vector<std::string> words;
  for (const Spec& child : parent.children) {
    if (child.is_hidden) continue;
    words.emplace_back(child.word);
    words.insert(words.end(), child.aliases.begin(), child.aliases.end());
  }
  return words;
}

std::string listed(std::span<const std::string_view> choices) {
  return join(std::vector<std::string>(choices.begin(), choices.end()), ", ");
}

class Parser {
 public:
  Parser(const Spec& root, std::span<const std::string> words) : words_(words) { result_.path.push_back(&root); }

  Result<Invocation, UsageError> run() {
    while (next_ < words_.size()) {
      MARGAY_RETURN_IF_ERROR(take(words_[next_++]));
    }
    if (!result_.wants_help) MARGAY_RETURN_IF_ERROR(check_arguments());
    return std::move(result_);
  }

 private:
  UsageError error(std::string message) const { return UsageError{std::move(message), result_.path}; }

  Step take(const std::string& word) {
    if (flags_ended_ || word.size() < 2 || word[0] != '-') return take_word(word);
    if (word == "--") {
      flags_ended_ = true;
      return Step(std::monostate{});
    }
    return word[1] == '-' ? take_long(std::string_view(word).substr(2))
                          : take_letters(std::string_view(word).substr(1));
  }

  Step take_word(const std::string& word) {
    const Spec& here = result_.command();
    if (here.children.empty()) {
      result_.arguments.push_back(word);
      return Step(std::monostate{});
    }
    const Spec* child = find_child(here, word);
    if (child == nullptr) return error(concat("unknown command ", quoted(word), did_you_mean(word, child_words(here))));
    result_.path.push_back(child);
    return Step(std::monostate{});
  }

  Step take_long(std::string_view text) {
    const auto parts = split_once(text, '=');
    const std::string_view name = parts ? parts->first : text;
    const Flag* flag = find_flag(result_.path, name);
    if (flag == nullptr) {
      const std::string near = nearest(name, flag_names(result_.path));
      return error(
          concat("unknown flag --", name, near.empty() ? "" : "; did you mean --", near, near.empty() ? "" : "?"));
    }
    if (parts) return set(*flag, parts->second);
    return set_without_value(*flag);
  }

  Step take_letters(std::string_view letters) {
    // "-output yaml" is not -o with the value "utput".
    const std::string_view name = letters.substr(0, letters.find('='));
    const bool is_long = name.size() > 1 && find_flag(result_.path, name) != nullptr;
    if (is_long) return error(concat("unknown flag -", letters, "; did you mean --", letters, "?"));
    for (std::size_t i = 0; i < letters.size(); ++i) {
      const Flag* flag = find_flag(result_.path, letters[i]);
      if (flag == nullptr)
        return error(concat("unknown flag -", letters[i], letters.size() > 1 ? concat(" in -", letters) : ""));
      const std::string_view rest = letters.substr(i + 1);
      const bool has_value = !rest.empty() && (rest[0] == '=' || flag->kind != ValueKind::kSwitch);
      const bool is_repeated_level = flag->kind == ValueKind::kLevel && !rest.empty() && rest[0] == flag->letter;
      if (has_value && !is_repeated_level) return set(*flag, rest[0] == '=' ? rest.substr(1) : rest);
      MARGAY_RETURN_IF_ERROR(set_without_value(*flag));
    }
    return Step(std::monostate{});
  }

  Step set_without_value(const Flag& flag) {
    if (flag.kind == ValueKind::kSwitch) return set(flag, "true");
    if (flag.kind == ValueKind::kLevel) return set(flag, std::to_string(result_.level(flag.name) + 1));
    if (!flag.bare.empty()) return set(flag, flag.bare);
    if (next_ == words_.size()) return error(concat("flag --", flag.name, " needs a value: ", flag.value_name));
    return set(flag, words_[next_++]);
  }

  Step set(const Flag& flag, std::string_view value) {
    MARGAY_RETURN_IF_ERROR(check_value(flag, value));
    if (flag.name == "help") {
      result_.wants_help = value != "false";
      return Step(std::monostate{});
    }
    std::vector<std::string>& values = result_.given[std::string(flag.name)];
    if (flag.kind == ValueKind::kLevel) values.clear();
    if (!values.empty() && flag.kind != ValueKind::kTexts)
      return error(concat("flag --", flag.name, " is given twice"));
    values.emplace_back(value);
    return Step(std::monostate{});
  }

  Step check_value(const Flag& flag, std::string_view value) const {
    switch (flag.kind) {
      case ValueKind::kSwitch:
        if (value == "true" || value == "false") return Step(std::monostate{});
        return error(concat("flag --", flag.name, ": ", quoted(value), " is not true or false"));
      case ValueKind::kChoice:
        if (std::find(flag.choices.begin(), flag.choices.end(), value) != flag.choices.end()) {
          return Step(std::monostate{});
        }
        return error(concat("flag --", flag.name, ": ", quoted(value), " is not one of ", listed(flag.choices)));
      case ValueKind::kDuration:
        if (const auto duration = parse_timeout(value); !duration.ok()) {
          return error(concat("flag --", flag.name, ": ", duration.error().message));
        }
        return Step(std::monostate{});
      case ValueKind::kLevel:
        if (const auto level = parse_number<int>(value); level && *level >= 0 && *level <= kLevelMax) {
          return Step(std::monostate{});
        }
        return error(concat("flag --", flag.name, ": ", quoted(value), " is not a number from 0 to ", kLevelMax));
      case ValueKind::kText:
      case ValueKind::kTexts:
        // An empty variable of a script must not become "every namespace" or "every object".
        if (!value.empty()) return Step(std::monostate{});
        return error(concat("flag --", flag.name, " has an empty value; ", flag.value_name, " is expected"));
    }
    return Step(std::monostate{});
  }

  Step check_arguments() const {
    const Spec& here = result_.command();
    if (!here.children.empty()) {
      return error(result_.path.size() == 1 ? "no command given" : concat(here.word, ": no subcommand given"));
    }
    const auto is_required = [](const Argument& argument) { return argument.is_required; };
    const auto required = std::count_if(here.arguments.begin(), here.arguments.end(), is_required);
    const std::size_t given = result_.arguments.size();
    if (given < static_cast<std::size_t>(required)) return error(concat(here.arguments[given].name, " is missing"));
    const bool is_open = !here.arguments.empty() && here.arguments.back().is_repeated;
    if (given > here.arguments.size() && !is_open) {
      return error(concat("unexpected argument ", quoted(result_.arguments[here.arguments.size()])));
    }
    return Step(std::monostate{});
  }

  std::span<const std::string> words_;
  std::size_t next_ = 0;
  bool flags_ended_ = false;
  Invocation result_;
};

template <class Matches>
const Flag* find_flag_if(const std::vector<const Spec*>& path, const Matches& matches) {
  for (auto spec = path.rbegin(); spec != path.rend(); ++spec) {
    for (const FlagGroup& group : (*spec)->flags) {
      for (const Flag& flag : group) {
        if (matches(flag)) return &flag;
      }
    }
  }
  return nullptr;
}

const Flag& known_flag(const Invocation& invocation, std::string_view name) {
  const Flag* flag = find_flag(invocation.path, name);
  MARGAY_CHECK(flag != nullptr);
  return *flag;
}

}  // namespace

bool Invocation::is_given(std::string_view flag) const { return given.contains(known_flag(*this, flag).name); }

bool Invocation::is_on(std::string_view flag) const { return text(flag) == "true"; }

std::string Invocation::text(std::string_view flag) const {
  const Flag& known = known_flag(*this, flag);
  const auto values = given.find(known.name);
  return values == given.end() ? std::string(known.fallback) : values->second.back();
}

std::vector<std::string> Invocation::texts(std::string_view flag) const {
  const auto values = given.find(known_flag(*this, flag).name);
  return values == given.end() ? std::vector<std::string>() : values->second;
}

int Invocation::level(std::string_view flag) const { return parse_number<int>(text(flag)).value_or(0); }

Result<Invocation, UsageError> parse(const Spec& root, std::span<const std::string> words) {
  return Parser(root, words).run();
}

Result<Duration> parse_timeout(std::string_view text) {
  if (const auto seconds = parse_number<std::uint32_t>(text)) return Duration(std::chrono::seconds(*seconds));
  const auto duration = parse_duration(text);
  if (!duration.ok() || *duration < Duration(0)) {
    return invalid(concat(quoted(text), " is not a duration such as 30s, 1m30s, 500ms or 2h"));
  }
  return *duration;
}

const Flag* find_flag(const std::vector<const Spec*>& path, std::string_view name) {
  return find_flag_if(
      path, [&](const Flag& flag) { return flag.name == name || (!flag.alias.empty() && flag.alias == name); });
}

const Flag* find_flag(const std::vector<const Spec*>& path, char letter) {
  return find_flag_if(path, [&](const Flag& flag) { return flag.letter == letter || flag.second_letter == letter; });
}

const Spec* find_child(const Spec& parent, std::string_view word) {
  for (const Spec& child : parent.children) {
    const bool is_alias = std::find(child.aliases.begin(), child.aliases.end(), word) != child.aliases.end();
    if (child.word == word || is_alias) return &child;
  }
  return nullptr;
}

bool takes_next_word(const Flag& flag) {
  return flag.kind != ValueKind::kSwitch && flag.kind != ValueKind::kLevel && flag.bare.empty();
}

}  // namespace margay::command
