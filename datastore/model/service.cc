#include "datastore/model/service.h"

namespace margay::model {

Result<ClusterIp> ClusterIp::parse(std::string_view text) {
  if (text == "None") return ClusterIp{};
  MARGAY_ASSIGN_OR_RETURN(const IpAddress address, IpAddress::parse(text));
  return ClusterIp{address};
}

std::string ClusterIp::to_string() const { return address ? address->to_string() : "None"; }

}  // namespace margay::model
