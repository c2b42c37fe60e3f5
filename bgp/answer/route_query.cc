#include "bgp/answer/route_query.h"

#include "base/core/text.h"

namespace margay::bgp {
namespace {

Result<SnapshotQuery::Match> match_of(std::string_view word) {
  using enum SnapshotQuery::Match;
  if (word == "exact") return kExact;
  if (word == "inside") return kInside;
  if (word == "holding") return kHolding;
  return invalid(concat("match=", word, " is neither exact, inside nor holding"));
}

}  // namespace

Result<SnapshotQuery> route_query(const http::Target& target) {
  SnapshotQuery query;
  const bool is_in = target.parameter("in").has_value(), is_out = target.parameter("out").has_value();
  query.routes = is_in    ? SnapshotQuery::Routes::kReceived
                 : is_out ? SnapshotQuery::Routes::kSent
                          : SnapshotQuery::Routes::kBest;
  if (const auto peer = target.parameter("peer")) {
    MARGAY_ASSIGN_OR_RETURN(query.peer, IpAddress::parse(*peer));
  }
  if (const auto prefix = target.parameter("prefix")) {
    MARGAY_ASSIGN_OR_RETURN(query.prefix, IpPrefix::parse_cidr_or_address(*prefix));
  }
  if (const auto match = target.parameter("match")) {
    MARGAY_ASSIGN_OR_RETURN(query.match, match_of(*match));
  }
  if ((is_in || is_out) && !query.peer) return invalid("in and out need a peer");
  return query;
}

}  // namespace margay::bgp
