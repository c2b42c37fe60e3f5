#include "agent/render/spec.h"

#include "base/core/text.h"

namespace margay::render {

std::string spec(std::initializer_list<std::string_view> pieces) {
  std::size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.empty() ? 0 : piece.size() + 1;
  std::string out;
  out.reserve(size == 0 ? 0 : size - 1);  // thousands are kept: without spare room
  for (const std::string_view piece : pieces) {
    if (piece.empty()) continue;
    if (!out.empty()) out.push_back(' ');
    out.append(piece);
  }
  return out;
}

std::string jump(std::string_view chain) { return concat("-j ", chain); }
std::string go_to(std::string_view chain) { return concat("-g ", chain); }

std::string from_interface(std::string_view name) { return concat("-i ", name); }
std::string to_interface(std::string_view name) { return concat("-o ", name); }

std::string_view deny(Table table, const Settings& settings) {
  return table == Table::kFilter && settings.rejects ? "-j REJECT" : kDrop;
}

std::string_view allow(Table table, const Settings& settings) {
  const model::AllowAction action = table == Table::kMangle ? settings.mangle_allow : settings.filter_allow;
  return table == Table::kRaw || action == model::AllowAction::kAccept ? kAccept : kReturn;
}

}  // namespace margay::render
