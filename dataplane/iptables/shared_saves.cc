#include "dataplane/iptables/shared_saves.h"

#include <string_view>
#include <utility>

namespace margay::iptables {
namespace {

// "*filter" begins the part of table filter, which goes on to the next such line.
std::map<std::string, std::string> parts_of(std::string_view saved) {
  std::map<std::string, std::string> parts;
  std::string* part = nullptr;
  while (!saved.empty()) {
    const std::size_t end = saved.find('\n');
    const std::string_view line = saved.substr(0, end == std::string_view::npos ? saved.size() : end + 1);
    saved.remove_prefix(line.size());
    if (line.starts_with('*')) part = &parts[std::string(line.substr(1, line.find_last_not_of("\r\n ")))];
    if (part != nullptr) part->append(line);
  }
  return parts;
}

bool is_save_of_a_table(const exec::Command& command) {
  return command.program.ends_with("tables-nft-save") && command.arguments.size() == 2 &&
         command.arguments.front() == "-t";
}

}  // namespace

Result<exec::Finished> SharedSaves::run(const exec::Command& command) {
  if (!is_save_of_a_table(command)) return runner_.run(command);
  const std::string& table = command.arguments.back();
  auto& parts = parts_[command.program];
  if (!parts.contains(table)) {
    exec::Command whole = command;
    whole.arguments.clear();
    MARGAY_ASSIGN_OR_RETURN(exec::Finished finished, runner_.run(whole));
    if (!finished.is_success()) return finished;
    parts = parts_of(finished.output);
  }
  exec::Finished finished;
  const auto part = parts.find(table);
  if (part == parts.end()) return finished;  // nobody has made this table yet
  finished.output = std::move(part->second);
  parts.erase(part);
  return finished;
}

}  // namespace margay::iptables
