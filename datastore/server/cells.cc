#include "datastore/server/cells.h"

#include <cstdint>

#include "base/core/text.h"
#include "base/core/time_text.h"

namespace margay::server {
namespace {

std::string two_units(std::int64_t major, char major_unit, std::int64_t minor, char minor_unit) {
  if (minor == 0) return concat(major, major_unit);
  return concat(major, major_unit, minor, minor_unit);
}

std::string date_text(const json::Value& value, WallTime now) {
  if (value.as_string() == nullptr) return "<unknown>";
  const auto time = parse_timestamp(*value.as_string());
  return time ? age_text(now - time.value()) : std::string("<invalid>");
}

}  // namespace

std::string age_text(Duration age) {
  const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return concat(seconds, 's');
  const std::int64_t minutes = seconds / 60;
  if (minutes < 10) return two_units(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return concat(minutes, 'm');
  const std::int64_t hours = minutes / 60;
  if (hours < 8) return two_units(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return concat(hours, 'h');
  const std::int64_t days = hours / 24;
  if (days < 8) return two_units(days, 'd', hours % 24, 'h');
  if (days < 730) return concat(days, 'd');
  if (days < 2920) return two_units(days / 365, 'y', days % 365, 'd');
  return concat(days / 365, 'y');
}

void append_cell(std::string& out, const json::Value* value, std::string_view type, WallTime now) {
  if (value == nullptr || value->is_null()) {
    out += "null";
  } else if (type == "date") {
    json::append_quoted(out, date_text(*value, now));
  } else if (type == "string" && value->as_string() == nullptr) {
    json::append_quoted(out, json::dump(*value));
  } else if (type == "integer" && value->as_double() != nullptr) {
    out += concat(static_cast<std::int64_t>(*value->as_double()));
  } else {
    json::dump_to(out, *value);
  }
}

}  // namespace margay::server
