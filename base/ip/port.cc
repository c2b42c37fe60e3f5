#include "base/ip/port.h"

#include "base/core/text.h"

namespace margay {

Result<PortRange> PortRange::between(Port first, Port last) {
  if (last < first) {
    return invalid(concat("port range ", first.value(), ":", last.value(), " ends before it begins"));
  }
  return PortRange(first, last);
}

Result<PortRange> PortRange::parse(std::string_view text) {
  const auto ends = split_once(text, ':');
  const Result<Port> first = Port::parse(ends ? ends->first : text);
  const Result<Port> last = ends ? Port::parse(ends->second) : first;
  if (!first.ok() || !last.ok()) {
    return invalid(concat(quoted(text), " is not a port (0 to 65535) or port range such as 8000:8100"));
  }
  return between(*first, *last);
}

std::string PortRange::to_string() const {
  return first_ == last_ ? first_.to_string() : concat(first_.value(), ':', last_.value());
}

}  // namespace margay
