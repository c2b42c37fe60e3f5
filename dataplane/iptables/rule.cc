#include "dataplane/iptables/rule.h"

#include "base/core/text.h"

namespace margay::iptables {

std::string_view to_string(Table table) {
  switch (table) {
    case Table::kRaw: return "raw";
    case Table::kMangle: return "mangle";
    case Table::kNat: return "nat";
    case Table::kFilter: return "filter";
  }
  return "?";
}

std::string to_string(const TableId& table) { return concat(to_string(table.family), " ", to_string(table.table)); }

}  // namespace margay::iptables
