#include "bgp/wire/nlri_codec.h"

#include "bgp/wire/big_endian.h"

namespace margay::bgp::wire {
namespace {

// The next 8 bytes; those after the `left` that are there count as zeros.
std::uint64_t load_leading(const std::uint8_t* at, std::size_t left) {
  if (left >= 8) return load64(at);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < left; ++i) value |= std::uint64_t{at[i]} << (56 - 8 * i);
  return value;
}

// More than the prefix may be loaded: IpPrefix::containing() drops it.
template <IpFamily kFamily>
IpAddress load_address(const std::uint8_t* at, std::size_t left) {
  const std::uint64_t high = load_leading(at, left);
  if constexpr (kFamily == IpFamily::kV4) {
    return IpAddress::v4(static_cast<std::uint32_t>(high >> 32));
  } else {
    return IpAddress::v6(high, left > 8 ? load_leading(at + 8, left - 8) : 0);
  }
}

template <IpFamily kFamily>
bool decode(bytes::View bytes, bool has_path_id, std::vector<Nlri>& out) {
  const std::uint8_t* at = bytes.data();
  const std::uint8_t* const end = at + bytes.size();
  const std::size_t head = has_path_id ? 5 : 1;
  while (at != end) {
    if (static_cast<std::size_t>(end - at) < head) return false;
    const std::uint32_t path_id = has_path_id ? load32(at) : 0;
    const int length = at[head - 1];
    at += head;
    const std::size_t count = (static_cast<std::size_t>(length) + 7) / 8;
    const auto left = static_cast<std::size_t>(end - at);
    if (length > address_bits(kFamily) || count > left) return false;
    out.push_back({IpPrefix::containing(load_address<kFamily>(at, left), length), path_id});
    at += count;
  }
  return true;
}

}  // namespace

bool decode_nlri(bytes::View bytes, const NlriForm& form, std::vector<Nlri>& out) {
  return form.family == Family::kIpv4Unicast ? decode<IpFamily::kV4>(bytes, form.has_path_id, out)
                                             : decode<IpFamily::kV6>(bytes, form.has_path_id, out);
}

Fit fit_nlri(std::span<const Nlri> nlri, bool has_path_id, std::size_t room) {
  Fit fit;
  for (const Nlri& each : nlri) {
    const std::size_t size = encoded_size(each, has_path_id);
    if (fit.bytes + size > room) break;
    fit.bytes += size;
    ++fit.count;
  }
  return fit;
}

char* encode_nlri(std::span<const Nlri> nlri, bool has_path_id, char* at) {
  for (const Nlri& each : nlri) {
    if (has_path_id) at = store32(at, each.path_id);
    at = store8(at, static_cast<std::uint8_t>(each.prefix.length()));
    char bits[16];
    store64(store64(bits, each.prefix.bits().high), each.prefix.bits().low);
    const std::size_t count = (static_cast<std::size_t>(each.prefix.length()) + 7) / 8;
    std::memcpy(at, bits, count);
    at += count;
  }
  return at;
}

}  // namespace margay::bgp::wire
