#include "ctl/command/complete.h"

#include "base/core/text.h"
#include "ctl/command/commands.h"

namespace margay::command {
namespace {

// Reads the words before the last one as far as they make sense; completion must not stop at a mistake.
class Walker {
 public:
  explicit Walker(const Spec& root) { so_far.path.push_back(&root); }

  void walk(const std::string& word) {
    if (pending != nullptr) {
      so_far.given[std::string(pending->name)].push_back(word);
      pending = nullptr;
    } else if (flags_ended || word.size() < 2 || word[0] != '-') {
      walk_word(word);
    } else if (word == "--") {
      flags_ended = true;
    } else if (word[1] == '-') {
      walk_long(std::string_view(word).substr(2));
    } else {
      walk_letters(std::string_view(word).substr(1));
    }
  }

  Invocation so_far;
  const Flag* pending = nullptr;  // the flag whose value comes next
  bool flags_ended = false;

 private:
  void walk_word(const std::string& word) {
    const Spec* child = find_child(so_far.command(), word);
    if (child != nullptr) {
      so_far.path.push_back(child);
    } else {
      so_far.arguments.push_back(word);
    }
  }

  void walk_long(std::string_view text) {
    const auto parts = split_once(text, '=');
    const Flag* flag = find_flag(so_far.path, parts ? parts->first : text);
    if (flag == nullptr) return;
    if (parts) {
      so_far.given[std::string(flag->name)].emplace_back(parts->second);
    } else if (takes_next_word(*flag)) {
      pending = flag;
    } else {
      so_far.given[std::string(flag->name)].emplace_back("true");
    }
  }

  void walk_letters(std::string_view letters) {
    for (std::size_t i = 0; i < letters.size(); ++i) {
      const Flag* flag = find_flag(so_far.path, letters[i]);
      if (flag == nullptr) return;
      if (!takes_next_word(*flag)) {
        so_far.given[std::string(flag->name)].emplace_back("true");
        continue;
      }
      const std::string_view rest = letters.substr(i + 1);
      if (rest.empty()) {
        pending = flag;
      } else {
        so_far.given[std::string(flag->name)].emplace_back(rest[0] == '=' ? rest.substr(1) : rest);
      }
      return;
    }
  }
};

std::vector<Candidate> flag_candidates(const Invocation& so_far) {
  std::vector<Candidate> found;
  for (auto spec = so_far.path.rbegin(); spec != so_far.path.rend(); ++spec) {
    for (const FlagGroup& group : (*spec)->flags) {
      for (const Flag& flag : group) {
        const bool is_used_up = so_far.given.contains(flag.name) && flag.kind != ValueKind::kTexts;
        if (!flag.is_hidden && !is_used_up) found.push_back({concat("--", flag.name), std::string(flag.help)});
      }
    }
  }
  return found;
}

std::vector<Candidate> command_candidates(const Spec& parent) {
  std::vector<Candidate> found;
  for (const Spec& child : parent.children) {
    if (!child.is_hidden) found.push_back({std::string(child.word), std::string(child.summary)});
  }
  return found;
}

std::vector<Candidate> help_candidates(const Invocation& so_far) {
  const Spec* parent = so_far.path.front();
  for (const std::string& word : so_far.arguments) {
    parent = find_child(*parent, word);
    if (parent == nullptr) return {};
  }
  std::vector<Candidate> found = command_candidates(*parent);
  if (!so_far.arguments.empty()) return found;
  for (const Topic& topic : topics()) found.push_back({std::string(topic.word), std::string(topic.summary)});
  return found;
}

std::vector<Candidate> choice_candidates(std::span<const std::string_view> choices) {
  std::vector<Candidate> found;
  for (const std::string_view choice : choices) found.push_back({std::string(choice), ""});
  return found;
}

std::vector<Candidate> output_candidates() {
  return {
      {"table", "columns"},           {"wide", "more columns"},     {"yaml", ""},         {"json", ""},
      {"jsonl", "one object a line"}, {"name", "KIND/NAME a line"}, {"jsonpath=", ""},    {"jsonpath-file=", ""},
      {"custom-columns=", ""},        {"custom-columns-file=", ""}, {"go-template=", ""}, {"go-template-file=", ""}};
}

// "a,b" and "kind/x": moves what precedes the part being typed to `kept`.
void keep_up_to(Completion& completion, char separator) {
  const std::size_t at = completion.prefix.rfind(separator);
  if (at == std::string::npos) return;
  completion.kept.append(completion.prefix, 0, at + 1);
  completion.prefix.erase(0, at + 1);
}

void want_kind(Completion& completion) {
  const std::size_t slash = completion.prefix.find('/');
  if (slash == std::string::npos) {
    keep_up_to(completion, ',');
    return;
  }
  completion.wanted = Candidates::kObjects;
  completion.kind = completion.prefix.substr(0, slash);
  keep_up_to(completion, '/');
}

void want_object(Completion& completion) {
  const std::string& first = completion.so_far.arguments.front();
  if (first.find('/') == std::string::npos) {
    completion.kind = first;
    return;
  }
  completion.wanted = Candidates::kKinds;
  want_kind(completion);
}

void want_field(Completion& completion) {
  const std::size_t dot = completion.prefix.rfind('.');
  if (dot == std::string::npos) {
    completion.wanted = Candidates::kKinds;
    return;
  }
  completion.kind = completion.prefix.substr(0, dot);
  keep_up_to(completion, '.');
}

void want(Completion& completion, Candidates wanted, std::span<const std::string_view> choices) {
  completion.wanted = wanted;
  switch (wanted) {
    case Candidates::kWords: completion.candidates = choice_candidates(choices); break;
    case Candidates::kOutputs: completion.candidates = output_candidates(); break;
    case Candidates::kCommands: completion.candidates = help_candidates(completion.so_far); break;
    case Candidates::kKinds: want_kind(completion); break;
    case Candidates::kObjects: want_object(completion); break;
    case Candidates::kFieldPaths: want_field(completion); break;
    case Candidates::kNone:
    case Candidates::kFiles:
    case Candidates::kNamespaces:
    case Candidates::kContexts: break;
  }
}

void want_flag_value(Completion& completion, const Flag& flag) { want(completion, flag.candidates, flag.choices); }

void want_argument(Completion& completion) {
  const Spec& here = completion.so_far.command();
  if (!here.children.empty()) {
    completion.wanted = Candidates::kCommands;
    completion.candidates = command_candidates(here);
    return;
  }
  if (here.arguments.empty()) return;
  const std::size_t at = completion.so_far.arguments.size();
  const bool is_behind = at >= here.arguments.size();
  if (is_behind && !here.arguments.back().is_repeated) return;
  const Argument& argument = is_behind ? here.arguments.back() : here.arguments[at];
  if (!argument.kind.empty()) {
    completion.wanted = argument.candidates;
    completion.kind = argument.kind;
    return;
  }
  want(completion, argument.candidates, argument.choices);
}

}  // namespace

Completion complete(const Spec& root, std::span<const std::string> words) {
  Walker walker(root);
  for (std::size_t i = 0; i + 1 < words.size(); ++i) walker.walk(words[i]);
  Completion completion;
  completion.so_far = std::move(walker.so_far);
  completion.prefix = words.empty() ? std::string() : words.back();
  const bool is_flag = !walker.flags_ended && !completion.prefix.empty() && completion.prefix[0] == '-';
  if (walker.pending != nullptr) {
    want_flag_value(completion, *walker.pending);
  } else if (is_flag && completion.prefix.find('=') != std::string::npos) {
    const std::string_view name = std::string_view(completion.prefix).substr(0, completion.prefix.find('='));
    const bool is_letter = name.size() == 2;  // "-o=js"
    const Flag* flag = is_letter ? find_flag(completion.so_far.path, name[1])
                                 : find_flag(completion.so_far.path, name.starts_with("--") ? name.substr(2) : "");
    completion.kept = concat(name, '=');
    completion.prefix.erase(0, completion.kept.size());
    if (flag != nullptr) want_flag_value(completion, *flag);
  } else if (is_flag) {
    completion.candidates = flag_candidates(completion.so_far);
  } else {
    want_argument(completion);
  }
  completion.candidates = matching(completion.candidates, completion.kept, completion.prefix);
  return completion;
}

std::vector<Candidate> matching(const std::vector<Candidate>& candidates, std::string_view kept,
                                std::string_view prefix) {
  std::vector<Candidate> found;
  for (const Candidate& candidate : candidates) {
    if (equals_ignoring_case(std::string_view(candidate.text).substr(0, prefix.size()), prefix)) {
      found.push_back({concat(kept, candidate.text), candidate.about});
    }
  }
  return found;
}

std::string completion_lines(const std::vector<Candidate>& candidates, bool also_files) {
  std::string out;
  for (const Candidate& candidate : candidates) {
    out.append(candidate.text);
    if (!candidate.about.empty()) out.append("\t").append(candidate.about.substr(0, candidate.about.find('\n')));
    out.push_back('\n');
  }
  return out.append(also_files ? ":0\n" : ":4\n");
}

}  // namespace margay::command
