#include "bgp/main/tables.h"

#include <algorithm>
#include <vector>

#include "base/core/text.h"

namespace margay::bgpd {
namespace {

using Row = std::vector<std::string>;

std::string render(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] + 2 - row[i].size(), ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line;
    out += '\n';
  }
  return out;
}

std::string text(const json::Value& object, std::string_view name) {
  const json::Value* const value = object.find(name);
  if (value == nullptr || value->is_null()) return "-";
  if (const std::string* const string = value->as_string()) return string->empty() ? "-" : *string;
  if (const json::Array* const array = value->as_array()) {
    std::vector<std::string> parts;
    for (const json::Value& element : *array) {
      if (element.as_string() != nullptr) parts.push_back(*element.as_string());
    }
    return parts.empty() ? "-" : join(parts, ",");
  }
  return json::dump(*value);
}

bool flag(const json::Value& object, std::string_view name) {
  const json::Value* const value = object.find(name);
  return value != nullptr && value->as_bool() != nullptr && *value->as_bool();
}

// "3d04h", "5h07m", "12m03s", "42s"
std::string age(const json::Value& object, std::string_view name) {
  const json::Value* const value = object.find(name);
  if (value == nullptr || value->is_null()) return "-";
  const double seconds = value->as_double() != nullptr    ? *value->as_double()
                         : value->as_integer() != nullptr ? static_cast<double>(*value->as_integer())
                                                          : 0;
  const auto total = static_cast<std::uint64_t>(seconds);
  const auto two = [](std::uint64_t number) { return concat(number < 10 ? "0" : "", number); };
  if (total >= 86400) return concat(total / 86400, "d", two(total / 3600 % 24), "h");
  if (total >= 3600) return concat(total / 3600, "h", two(total / 60 % 60), "m");
  if (total >= 60) return concat(total / 60, "m", two(total % 60), "s");
  return concat(total, "s");
}

template <class Visit>
void each(const json::Value& answer, std::string_view list, Visit visit) {
  const json::Value* const value = answer.find(list);
  if (value == nullptr || value->as_array() == nullptr) return;
  for (const json::Value& element : *value->as_array()) visit(element);
}

// What of a route is special: ">" best, "*" used beside it, "s" stale, "x" filtered.
std::string marks(const json::Value& route) {
  std::string out;
  if (flag(route, "best")) out += '>';
  if (flag(route, "multipath")) out += '*';
  if (flag(route, "stale")) out += 's';
  if (flag(route, "filtered")) out += 'x';
  return out.empty() ? " " : out;
}

}  // namespace

std::string peers_table(const json::Value& answer) {
  std::vector<Row> rows{{"PEER", "NAME", "AS", "STATE", "SINCE", "RECEIVED", "ACCEPTED", "SENT", "LAST ERROR"}};
  each(answer, "peers", [&](const json::Value& peer) {
    rows.push_back({text(peer, "address"), text(peer, "name"), text(peer, "asNumber"), text(peer, "state"),
                    age(peer, "sinceSeconds"), text(peer, "prefixesReceived"), text(peer, "prefixesAccepted"),
                    text(peer, "prefixesSent"),
                    text(peer, text(peer, "socketError") == "-" ? "lastError" : "socketError")});
  });
  std::string out = render(rows);
  if (const json::Value* const speaker = answer.find("speaker")) {
    each(*speaker, "problems", [&](const json::Value& problem) {
      if (problem.as_string() != nullptr) out += concat("tried again: ", *problem.as_string(), "\n");
    });
  }
  return out;
}

std::string routes_table(const json::Value& answer) {
  std::vector<Row> rows{{"", "PREFIX", "NEXT HOP", "PEER", "LOCAL PREF", "MED", "AS PATH", "COMMUNITIES", "REASON"}};
  each(answer, "routes", [&](const json::Value& route) {
    rows.push_back({marks(route), text(route, "prefix"), text(route, "nextHop"), text(route, "peer"),
                    text(route, "localPref"), text(route, "med"), text(route, "asPath"), text(route, "communities"),
                    text(route, "reason")});
  });
  return render(rows);
}

}  // namespace margay::bgpd
