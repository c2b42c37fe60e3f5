#include "dataplane/iptables/shared_saves.h"

#include <string_view>
#include <utility>

#include "dataplane/iptables/commands.h"

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

void SharedSaves::begin(IpFamily family) {
  const auto generation = generation_ ? generation_() : std::nullopt;
  if (!generation) return;
  const exec::Command command = save_all_command(family, Backend::kNft);
  begun_[command.program] = {.generation = *generation, .running = runner_.start(command)};
}

// All at once, as what is written after the first reading would make the others look old.
void SharedSaves::finish_begun() {
  auto begun = std::exchange(begun_, {});
  std::map<std::string, Result<exec::Finished>> finished;
  for (auto& [program, each] : begun) finished.emplace(program, each.running->finish());
  const auto now = generation_();
  for (const auto& [program, result] : finished) {
    if (now != begun[program].generation || !result.ok() || !result->is_success()) continue;
    parts_[program] = parts_of(result->output);
  }
}

void SharedSaves::forget() {
  parts_.clear();
  begun_.clear();
}

Result<exec::Finished> SharedSaves::run(const exec::Command& command) {
  if (!is_save_of_a_table(command)) return runner_.run(command);
  if (!begun_.empty()) finish_begun();
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
