#include "ctl/command/help.h"

#include <algorithm>

#include "base/core/text.h"
#include "ctl/command/commands.h"
#include "ctl/command/nearest.h"

namespace margay::command {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kLeftMax = 34;  // a longer left column breaks the line

struct Row {
  std::string left;
  std::string right;
};

std::string with_program(std::string_view text, std::string_view program) {
  std::string out;
  for (const char c : text) c == '%' ? out.append(program) : out.append(1, c);
  return out;
}

std::string paragraphs(std::string_view text, std::string_view program) {
  std::string out;
  const std::string named = with_program(text, program);
  for (const std::string_view line : split(named, '\n')) out.append(wrapped(line, 0, kWidth)).append("\n");
  return out;
}

std::string section(std::string_view title, const std::vector<Row>& rows) {
  if (rows.empty()) return {};
  std::size_t left = 0;
  for (const Row& row : rows) left = std::max(left, std::min(row.left.size(), kLeftMax));
  std::string out = concat("\n", title, ":\n");
  for (const Row& row : rows) {
    out.append("  ").append(row.left);
    if (row.left.size() > kLeftMax) {
      out.append("\n").append(left + 4, ' ');
    } else {
      out.append(left + 2 - row.left.size(), ' ');
    }
    out.append(wrapped(row.right, left + 4, kWidth)).append("\n");
  }
  return out;
}

std::string flag_left(const Flag& flag) {
  std::string out = flag.letter == 0 ? std::string("    ") : concat("-", flag.letter, ", ");
  out.append("--").append(flag.name);
  if (!flag.bare.empty()) return concat(out, "[=", flag.value_name, "]");
  return flag.kind == ValueKind::kSwitch ? out
                                         : concat(out, flag.kind == ValueKind::kLevel ? "=" : " ", flag.value_name);
}

std::string flag_right(const Flag& flag, std::string_view program) {
  std::string out = with_program(flag.help, program);
  if (!flag.fallback.empty()) out.append(concat(" (default ", flag.fallback, ")"));
  return out;
}

std::vector<Row> flag_rows(const Spec& spec, std::string_view program) {
  std::vector<Row> rows;
  for (const FlagGroup& group : spec.flags) {
    for (const Flag& flag : group) {
      if (!flag.is_hidden) rows.push_back({flag_left(flag), flag_right(flag, program)});
    }
  }
  return rows;
}

std::vector<Row> child_rows(const Spec& spec) {
  std::vector<Row> rows;
  for (const Spec& child : spec.children) {
    if (!child.is_hidden) rows.push_back({std::string(child.word), std::string(child.summary)});
  }
  return rows;
}

std::vector<Row> argument_rows(const Spec& spec) {
  std::vector<Row> rows;
  for (const Argument& argument : spec.arguments)
    rows.push_back({std::string(argument.name), std::string(argument.help)});
  return rows;
}

std::vector<Row> topic_rows() {
  std::vector<Row> rows;
  for (const Topic& topic : topics()) rows.push_back({std::string(topic.word), std::string(topic.summary)});
  return rows;
}

std::string usage(const std::vector<const Spec*>& path, std::string_view program) {
  const Spec& spec = *path.back();
  std::string out = command_line(path, program);
  if (!spec.children.empty()) out.append(" COMMAND");
  for (const Argument& argument : spec.arguments) {
    const std::string name = concat(argument.name, argument.is_repeated ? "..." : "");
    out.append(argument.is_required ? concat(" ", name) : concat(" [", name, "]"));
  }
  return out.append(" [flags]");
}

std::string examples(const Spec& spec, std::string_view program) {
  if (spec.examples.empty()) return {};
  std::string out = "\nExamples:\n";
  for (const Example& example : spec.examples) {
    out.append(concat("  # ", example.about, "\n  ", with_program(example.line, program), "\n"));
  }
  return out;
}

std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out.append("\\e");
    } else if (c == '-') {
      out.append("\\-");
    } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
      out.append("\\&").push_back(c);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string roff_section(std::string_view title, const std::vector<Row>& rows) {
  if (rows.empty()) return {};
  std::string out = concat(".SH ", title, "\n");
  for (const Row& row : rows) out.append(concat(".TP\n.B ", roff(trim(row.left)), "\n", roff(row.right), "\n"));
  return out;
}

const Topic* find_topic(std::string_view word) {
  for (const Topic& topic : topics()) {
    if (topic.word == word) return &topic;
  }
  return nullptr;
}

std::string topic_page(const Topic& topic, std::string_view program) {
  const std::string name = concat(program, "-", topic.word);
  return concat(".TH ", name, " 7\n.SH NAME\n", roff(name), " \\- ", roff(topic.summary), "\n.SH DESCRIPTION\n.nf\n",
                roff(with_program(topic.text, program)), ".fi\n");
}

Error unknown_help(const Spec& parent, std::string_view word) {
  std::vector<std::string> words;
  for (const Row& row : child_rows(parent)) words.push_back(row.left);
  for (const Row& row : topic_rows()) words.push_back(row.left);
  return invalid(concat("no help on ", quoted(word), did_you_mean(word, words)));
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string out;
  std::size_t column = indent;
  for (const std::string_view word : split(text, ' ')) {
    const bool is_first = column == indent;
    if (!is_first && column + 1 + word.size() > width) {
      out.append("\n").append(indent, ' ');
      column = indent;
    } else if (!is_first) {
      out.push_back(' ');
      ++column;
    }
    out.append(word);
    column += word.size();
  }
  return out;
}

std::string command_line(const std::vector<const Spec*>& path, std::string_view program) {
  std::string out(program);
  for (std::size_t i = 1; i < path.size(); ++i) out.append(" ").append(path[i]->word);
  return out;
}

std::string help(const std::vector<const Spec*>& path, std::string_view program) {
  const Spec& spec = *path.back();
  const bool is_root = path.size() == 1;
  std::string out = is_root ? concat(program, " ", spec.summary, ".\n") : concat(spec.summary, ".\n");
  if (!spec.description.empty()) out.append("\n").append(paragraphs(spec.description, program));
  out.append(concat("\nUsage:\n  ", usage(path, program), "\n"));
  if (!spec.aliases.empty()) {
    out.append(concat("\nAlso: ", join({spec.aliases.begin(), spec.aliases.end()}, ", "), "\n"));
  }
  out.append(examples(spec, program));
  out.append(section("Commands", child_rows(spec)));
  out.append(section("Arguments", argument_rows(spec)));
  out.append(section(is_root ? "Global flags" : "Flags", flag_rows(spec, program)));
  if (is_root) {
    out.append(section("Topics", topic_rows()));
    out.append(concat("\n\"", program, " help COMMAND\" and \"", program, " help TOPIC\" say more.\n"));
  } else {
    out.append(concat("\nGlobal flags, for connection, namespace and output, are listed by \"", program, " help\".\n"));
  }
  return out.append(
      "Exit codes: 0 done, 1 failed, 2 usage, 3 degraded, 4 not found, 5 partly done (some objects failed).\n");
}

std::string topic_help(const Topic& topic, std::string_view program) {
  return concat(topic.summary, "\n\n", with_program(topic.text, program));
}

std::string manual_page(const std::vector<const Spec*>& path, std::string_view program) {
  const Spec& spec = *path.back();
  std::string name = command_line(path, program);
  std::replace(name.begin(), name.end(), ' ', '-');
  std::string out = concat(".TH ", name, " 1\n.SH NAME\n", roff(name), " \\- ", roff(spec.summary), "\n");
  out.append(concat(".SH SYNOPSIS\n.B ", roff(usage(path, program)), "\n"));
  if (!spec.description.empty()) {
    out.append(concat(".SH DESCRIPTION\n", roff(with_program(spec.description, program)), "\n"));
  }
  out.append(roff_section("COMMANDS", child_rows(spec)));
  out.append(roff_section("ARGUMENTS", argument_rows(spec)));
  out.append(roff_section("FLAGS", flag_rows(spec, program)));
  if (path.size() > 1) out.append(roff_section("GLOBAL FLAGS", flag_rows(*path.front(), program)));
  if (!spec.examples.empty()) out.append(".SH EXAMPLES\n");
  for (const Example& example : spec.examples) {
    out.append(
        concat(".PP\n", roff(example.about), "\n.PP\n.nf\n", roff(with_program(example.line, program)), "\n.fi\n"));
  }
  out.append(concat(".SH EXIT STATUS\n.nf\n", roff(find_topic("exit-codes")->text), ".fi\n"));
  if (path.size() > 1) {
    std::string around = command_line({path.begin(), path.end() - 1}, program);
    std::replace(around.begin(), around.end(), ' ', '-');
    out.append(concat(".SH SEE ALSO\n.BR ", roff(around), " (1)\n"));
  }
  return out;
}

std::vector<ManualFile> manual_files(const Spec& root) {
  std::vector<ManualFile> out;
  std::vector<std::vector<const Spec*>> waiting{{&root}};
  while (!waiting.empty()) {
    const std::vector<const Spec*> path = std::move(waiting.back());
    waiting.pop_back();
    std::string name = command_line(path, root.word);
    std::replace(name.begin(), name.end(), ' ', '-');
    out.push_back({concat(name, ".1"), manual_page(path, root.word)});
    for (const Spec& child : path.back()->children) {
      if (child.is_hidden) continue;
      waiting.push_back(path);
      waiting.back().push_back(&child);
    }
  }
  for (const Topic& topic : topics()) {
    out.push_back({concat(root.word, "-", topic.word, ".7"), topic_page(topic, root.word)});
  }
  std::sort(out.begin(), out.end(), [](const ManualFile& a, const ManualFile& b) { return a.name < b.name; });
  return out;
}

Result<std::string> help_for(const Spec& root, const std::vector<std::string>& words, std::string_view program,
                             bool as_manual) {
  std::vector<const Spec*> path{&root};
  for (const std::string& word : words) {
    const Spec* child = find_child(*path.back(), word);
    const Topic* topic = child == nullptr && path.size() == 1 ? find_topic(word) : nullptr;
    if (topic != nullptr) return topic_help(*topic, program);
    if (child == nullptr) return unknown_help(*path.back(), word);
    path.push_back(child);
  }
  return as_manual ? manual_page(path, program) : help(path, program);
}

std::string describe(const UsageError& error, std::string_view program) {
  const std::string line = command_line(error.path, program);
  return concat(line, ": ", error.message, "\nSee '", line, " --help'.\n");
}

}  // namespace margay::command
