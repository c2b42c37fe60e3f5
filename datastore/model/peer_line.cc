#include "datastore/model/peer_line.h"

#include <algorithm>

#include "base/core/text.h"

namespace margay::model {

std::string to_string(const PeerLine& line) {
  const std::string asn = line.asn ? concat(*line.asn) : std::string("?");
  std::string out =
      concat(line.peer, " AS", asn, " received ", line.received, " accepted ", line.accepted, " sent ", line.sent);
  if (line.problem.empty()) return out;
  std::string problem = line.problem;
  std::replace(problem.begin(), problem.end(), '\n', ' ');
  return concat(out, ": ", problem);
}

std::optional<PeerLine> parse_peer_line(std::string_view text) {
  PeerLine out;
  // Addresses have colons, but no blank behind them.
  if (const std::size_t colon = text.find(": "); colon != std::string_view::npos) {
    out.problem = text.substr(colon + 2);
    text = text.substr(0, colon);
  }
  const std::vector<std::string_view> words = split(text, ' ');
  if (words.size() != 8 || !words[1].starts_with("AS") || words[2] != "received" || words[4] != "accepted" ||
      words[6] != "sent") {
    return std::nullopt;
  }
  const auto received = parse_number<std::uint64_t>(words[3]);
  const auto accepted = parse_number<std::uint64_t>(words[5]);
  const auto sent = parse_number<std::uint64_t>(words[7]);
  const std::string_view asn = words[1].substr(2);
  out.asn = parse_number<std::uint32_t>(asn);
  if (!received || !accepted || !sent || (!out.asn && asn != "?")) return std::nullopt;
  out.peer = words[0];
  out.received = *received;
  out.accepted = *accepted;
  out.sent = *sent;
  return out;
}

}  // namespace margay::model
