#include "ctl/render/age.h"

#include <algorithm>

#include "base/core/text.h"
#include "base/core/time_text.h"

namespace margay::render {
namespace {

using std::chrono::duration_cast;

std::string figures(std::int64_t big, char big_unit, std::int64_t small, char small_unit) {
  return small == 0 ? concat(big, big_unit) : concat(big, big_unit, small, small_unit);
}

}  // namespace

std::string short_duration(Duration duration) {
  const std::int64_t seconds = std::max<std::int64_t>(0, duration_cast<std::chrono::seconds>(duration).count());
  const std::int64_t minutes = seconds / 60;
  const std::int64_t hours = minutes / 60;
  const std::int64_t days = hours / 24;
  if (seconds < 120) return concat(seconds, 's');
  if (minutes < 10) return figures(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return concat(minutes, 'm');
  if (hours < 8) return figures(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return concat(hours, 'h');
  if (days < 8) return figures(days, 'd', hours % 24, 'h');
  if (days < 2 * 365) return concat(days, 'd');
  if (days < 8 * 365) return figures(days / 365, 'y', days % 365, 'd');
  return concat(days / 365, 'y');
}

std::string age(std::string_view timestamp, WallTime now) {
  const auto then = parse_timestamp(timestamp);
  return then.ok() ? short_duration(now - *then) : "<unknown>";
}

}  // namespace margay::render
