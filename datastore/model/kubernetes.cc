#include "datastore/model/kubernetes.h"

#include "base/core/time_text.h"

namespace margay::model {

Result<MicroTime> MicroTime::parse(std::string_view text) {
  MARGAY_ASSIGN_OR_RETURN(const WallTime at, parse_timestamp(text));
  return MicroTime{at};
}

std::string MicroTime::to_string() const { return format_timestamp(at, FractionDigits::kMicroseconds); }

}  // namespace margay::model
