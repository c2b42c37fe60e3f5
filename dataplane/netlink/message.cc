#include "dataplane/netlink/message.h"

#include <arpa/inet.h>

#include <algorithm>

namespace margay::netlink {

namespace {

void align(std::string& bytes) { bytes.resize(NLMSG_ALIGN(bytes.size()), '\0'); }

template <class T>
void patch(std::string& bytes, std::size_t position, T value) {
  MARGAY_CHECK(position + sizeof(value) <= bytes.size());
  std::memcpy(bytes.data() + position, &value, sizeof(value));
}

}  // namespace

Request::Request(Batch& batch, std::uint16_t type, std::uint16_t flags) : batch_(batch), begin_(batch.bytes_.size()) {
  batch_.offsets_.push_back(begin_);
  nlmsghdr head{};
  head.nlmsg_type = type;
  head.nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
  append(&head, sizeof(head));
}

Request::~Request() {
  patch(batch_.bytes_, begin_ + offsetof(nlmsghdr, nlmsg_len), static_cast<std::uint32_t>(position() - begin_));
}

void Request::append(const void* data, std::size_t size) {
  batch_.bytes_.append(static_cast<const char*>(data), size);
  align(batch_.bytes_);
}

void Request::put(std::uint16_t type, const void* data, std::size_t size) {
  const std::size_t length = sizeof(nlattr) + size;
  MARGAY_CHECK(length <= UINT16_MAX);
  const nlattr head{static_cast<std::uint16_t>(length), type};
  batch_.bytes_.append(reinterpret_cast<const char*>(&head), sizeof(head));
  if (size > 0) batch_.bytes_.append(static_cast<const char*>(data), size);
  align(batch_.bytes_);
}

void Request::bytes(std::uint16_t type, bytes::View value) { put(type, value.data(), value.size()); }

void Request::text(std::uint16_t type, std::string_view value) {
  const std::string with_zero(value);
  put(type, with_zero.c_str(), with_zero.size() + 1);
}

void Request::be16(std::uint16_t type, std::uint16_t value) { u16(type, htons(value)); }

void Request::be32(std::uint16_t type, std::uint32_t value) { u32(type, htonl(value)); }

void Request::address(std::uint16_t type, const IpAddress& value) {
  const auto bytes = value.bytes();
  put(type, bytes.data(), value.size_bytes());
}

std::size_t Request::begin_nest(std::uint16_t type, bool is_flagged) {
  const std::size_t mark = position();
  put(static_cast<std::uint16_t>(is_flagged ? type | NLA_F_NESTED : type), nullptr, 0);
  return mark;
}

void Request::end_nest(std::size_t mark) {
  const std::size_t length = position() - mark;
  MARGAY_CHECK(length <= UINT16_MAX);
  patch_u16(mark + offsetof(nlattr, nla_len), static_cast<std::uint16_t>(length));
}

std::size_t Request::position() const { return batch_.bytes_.size(); }

void Request::patch_u16(std::size_t position, std::uint16_t value) { patch(batch_.bytes_, position, value); }

void Batch::clear() {
  bytes_.clear();
  offsets_.clear();
}

std::string_view Batch::request(std::size_t index) const {
  const std::size_t begin = offsets_.at(index);
  const std::size_t end = index + 1 < offsets_.size() ? offsets_[index + 1] : bytes_.size();
  return std::string_view(bytes_).substr(begin, end - begin);
}

std::optional<std::uint16_t> Attribute::be16() const {
  const auto value = u16();
  return value ? std::optional(ntohs(*value)) : std::nullopt;
}

std::optional<std::uint32_t> Attribute::be32() const {
  const auto value = u32();
  return value ? std::optional(ntohl(*value)) : std::nullopt;
}

std::string_view Attribute::text() const {
  const std::string_view all = bytes::text_of(value_);
  return all.substr(0, all.find('\0'));
}

std::optional<Attribute> find_attribute(bytes::View stream, std::uint16_t type) {
  std::optional<Attribute> found;
  for_each_attribute(stream, [&](std::uint16_t at, const Attribute& attribute) {
    if (at == type) found = attribute;
  });
  return found;
}

}  // namespace margay::netlink
