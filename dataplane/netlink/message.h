// Messages of the kernel's netlink protocol: a batch of requests being built, and views of what comes back.
//
//   Batch batch;
//   {
//     Request request = batch.add(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
//     request.header(rtmsg{...});
//     request.u32(RTA_OIF, 3);
//   }                                    // the request is complete when it goes out of scope
//
// Source: linux/netlink.h. All numbers but those said to be big-endian are in the machine's order. Pure.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes/reader.h"
#include "base/core/check.h"
#include "base/ip/address.h"

namespace margay::netlink {

class Batch;

// One request at the end of a batch. Sizes cannot overflow: what is put in is ours and small (MARGAY_CHECK).
class Request {
 public:
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request();

  // The fixed part that follows the netlink header (rtmsg, ifinfomsg, nfgenmsg, …).
  template <class Header>
  void header(const Header& value) {
    append(&value, sizeof(value));
  }
  void bytes(std::uint16_t type, bytes::View value);
  void text(std::uint16_t type, std::string_view value);  // with a final zero
  void u8(std::uint16_t type, std::uint8_t value) { put(type, &value, sizeof(value)); }
  void u16(std::uint16_t type, std::uint16_t value) { put(type, &value, sizeof(value)); }
  void u32(std::uint16_t type, std::uint32_t value) { put(type, &value, sizeof(value)); }
  void u64(std::uint16_t type, std::uint64_t value) { put(type, &value, sizeof(value)); }
  void be16(std::uint16_t type, std::uint16_t value);
  void be32(std::uint16_t type, std::uint32_t value);
  void flag(std::uint16_t type) { put(type, nullptr, 0); }
  void address(std::uint16_t type, const IpAddress& value);  // 4 or 16 bytes
  // A structure that holds attributes, aligned (rtnexthop, …); its length field is the caller's (see size()).
  void append(const void* data, std::size_t size);

  // Attributes until end_nest() go inside this one.
  [[nodiscard]] std::size_t begin_nest(std::uint16_t type, bool is_flagged = false);
  void end_nest(std::size_t mark);
  // For structures with a length of their own: the place in the batch, and a way back to it.
  [[nodiscard]] std::size_t position() const;
  void patch_u16(std::size_t position, std::uint16_t value);

 private:
  friend class Batch;
  Request(Batch& batch, std::uint16_t type, std::uint16_t flags);
  void put(std::uint16_t type, const void* data, std::size_t size);

  Batch& batch_;
  std::size_t begin_;
};

// Requests in order, back to back.
class Batch {
 public:
  // NLM_F_REQUEST is added.
  [[nodiscard]] Request add(std::uint16_t type, std::uint16_t flags) { return Request(*this, type, flags); }
  [[nodiscard]] std::size_t size() const { return offsets_.size(); }
  [[nodiscard]] bool empty() const { return offsets_.empty(); }
  [[nodiscard]] std::size_t size_bytes() const { return bytes_.size(); }
  void clear();
  // Where request `index` begins and how long it is.
  [[nodiscard]] std::string_view request(std::size_t index) const;

 private:
  friend class Request;
  friend class KernelSocket;
  std::string bytes_;
  std::vector<std::size_t> offsets_;
};

// One attribute of a received message.
class Attribute {
 public:
  Attribute() = default;
  explicit Attribute(bytes::View value) : value_(value) {}
  [[nodiscard]] bytes::View bytes() const { return value_; }
  // nullopt when it is too short.
  [[nodiscard]] std::optional<std::uint8_t> u8() const { return number<std::uint8_t>(); }
  [[nodiscard]] std::optional<std::uint16_t> u16() const { return number<std::uint16_t>(); }
  [[nodiscard]] std::optional<std::uint32_t> u32() const { return number<std::uint32_t>(); }
  [[nodiscard]] std::optional<std::uint64_t> u64() const { return number<std::uint64_t>(); }
  [[nodiscard]] std::optional<std::uint16_t> be16() const;
  [[nodiscard]] std::optional<std::uint32_t> be32() const;
  [[nodiscard]] std::string_view text() const;  // up to the first zero
  [[nodiscard]] std::optional<IpAddress> address() const { return IpAddress::from_bytes(value_); }

 private:
  template <class T>
  [[nodiscard]] std::optional<T> number() const {
    if (value_.size() < sizeof(T)) return std::nullopt;
    T value{};
    std::memcpy(&value, value_.data(), sizeof(T));
    return value;
  }

  bytes::View value_;
};

// Calls visit(type without flags, Attribute) for each attribute of a stream of them; what is cut off ends the walk.
template <class Visit>
void for_each_attribute(bytes::View stream, Visit&& visit) {
  while (stream.size() >= sizeof(nlattr)) {
    nlattr head{};
    std::memcpy(&head, stream.data(), sizeof(head));
    if (head.nla_len < sizeof(head) || head.nla_len > stream.size()) return;
    visit(static_cast<std::uint16_t>(head.nla_type & NLA_TYPE_MASK),
          Attribute(stream.subspan(sizeof(head), head.nla_len - sizeof(head))));
    const std::size_t step = (head.nla_len + std::size_t{NLA_ALIGNTO} - 1) & ~(std::size_t{NLA_ALIGNTO} - 1);
    if (step >= stream.size()) return;
    stream = stream.subspan(step);
  }
}

// The last attribute of that type in a stream.
std::optional<Attribute> find_attribute(bytes::View stream, std::uint16_t type);

// A received message. The bytes last as long as the call that handed it out.
struct MessageView {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  bytes::View payload;

  // The fixed part; nullopt when the message is too short for it.
  template <class Header>
  [[nodiscard]] std::optional<Header> header() const {
    if (payload.size() < sizeof(Header)) return std::nullopt;
    Header value{};
    std::memcpy(&value, payload.data(), sizeof(value));
    return value;
  }
  template <class Header>
  [[nodiscard]] bytes::View attributes() const {
    const std::size_t begin = NLMSG_ALIGN(sizeof(Header));
    return payload.size() <= begin ? bytes::View{} : payload.subspan(begin);
  }
};

}  // namespace margay::netlink
