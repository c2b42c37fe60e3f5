#include "dataplane/iptables/saved_table.h"

#include <utility>

#include "base/core/text.h"

namespace margay::iptables {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view table) : table_(table) {}

  Status parse(std::string_view text) {
    for (std::size_t number = 1; !text.empty(); ++number) {
      const std::size_t end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      if (!take(line)) return invalid(concat("line ", number, " of iptables-save: ", quoted(line.substr(0, 200))));
    }
    if (is_inside_) return invalid("iptables-save did not finish its output");
    return std::monostate();
  }

  SavedTable take_table() { return std::move(table_found_); }

 private:
  bool take(std::string_view line) {
    if (line.empty() || line.front() == '#') return true;
    if (line.front() == '*') {
      if (is_inside_) return false;
      is_inside_ = true;
      is_wanted_ = line.substr(1) == table_;
      return true;
    }
    if (!is_inside_) return false;
    if (line == "COMMIT") {
      is_inside_ = false;
      return true;
    }
    if (!is_wanted_) return true;
    return line.front() == ':' ? take_chain(line.substr(1)) : take_rule(line);
  }

  // ":NAME POLICY [packets:bytes]"; a chain that is not the kernel's has no policy.
  bool take_chain(std::string_view line) {
    Words words(line);
    const auto name = words.next();
    const auto policy = words.next();
    if (!name || !policy) return false;
    if (name->starts_with(kChainPrefix)) {
      table_found_.chains.try_emplace(std::string(*name));
    } else if (*policy != "-") {
      table_found_.hooks.try_emplace(std::string(*name));
    }
    return true;
  }

  // "[packets:bytes] -A NAME SPEC", the first only with -c.
  bool take_rule(std::string_view line) {
    if (line.front() == '[') {
      const std::size_t end = line.find("] ");
      if (end == std::string_view::npos) return false;
      line.remove_prefix(end + 2);
    }
    if (!line.starts_with("-A ")) return false;
    line.remove_prefix(3);
    const std::size_t end = line.find(' ');
    const std::string_view name = line.substr(0, end);
    enter(name);
    add_rule(end == std::string_view::npos ? std::string_view() : line.substr(end + 1));
    return true;
  }

  // Rules come chain by chain: one look-up for each.
  void enter(std::string_view name) {
    if (name == name_ && !name.empty()) return;
    name_ = name;
    const auto ours = table_found_.chains.find(name);
    const auto hook = table_found_.hooks.find(name);
    chain_ = ours == table_found_.chains.end() ? nullptr : &ours->second;
    hook_ = hook == table_found_.hooks.end() ? nullptr : &hook->second;
  }

  void add_rule(std::string_view spec) {
    if (chain_ != nullptr) {
      chain_->push_back(find_mark(spec).value_or(Mark()));
      return;
    }
    const auto mark = hook_ == nullptr ? std::nullopt : find_mark(spec);
    if (mark) {
      hook_->push_back(HookRule{*mark, std::string(spec)});
      return;
    }
    if (hook_ != nullptr && (hook_->empty() || hook_->back().has_value())) hook_->push_back(std::nullopt);
    if (spec.find(kChainPrefix) == std::string_view::npos) return;
    const std::string_view target = target_of(spec);
    if (target.starts_with(kChainPrefix)) table_found_.referred.insert(std::string(target));
  }

  std::string_view table_;
  bool is_inside_ = false;
  bool is_wanted_ = false;
  SavedTable table_found_;
  std::string_view name_;  // of the chain that rules are added to
  std::vector<Mark>* chain_ = nullptr;
  HookRules* hook_ = nullptr;
};

}  // namespace

Result<SavedTable> parse_saved(std::string_view text, Table table) {
  Parser parser(to_string(table));
  MARGAY_RETURN_IF_ERROR(parser.parse(text));
  return parser.take_table();
}

}  // namespace margay::iptables
