#include "bgp/wire/canonical.h"

#include <algorithm>

#include "bgp/wire/as_path.h"
#include "bgp/wire/big_endian.h"
#include "bgp/wire/message.h"

namespace margay::bgp::wire {
namespace {

constexpr std::size_t kLongHeader = 4;

bool stands_as_it_should(const WireAttribute& attribute) {
  if (attribute.form != ValueForm::kAsIs) return false;
  const bool is_long = attribute.value_size > 255;
  return attribute.start[0] == (attribute.flags | (is_long ? kFlagExtendedLength : 0));
}

template <std::size_t kSize>
void sort_as_arrays(std::string& out, std::size_t start) {
  using Element = std::array<std::uint8_t, kSize>;
  static_assert(sizeof(Element) == kSize && alignof(Element) == 1);
  auto* const first = reinterpret_cast<Element*>(out.data() + start);
  auto* const last = first + (out.size() - start) / kSize;
  std::sort(first, last);
  out.resize(start + static_cast<std::size_t>(std::unique(first, last) - first) * kSize);
}

void append_aggregator(bytes::View value, bytes::View as4, std::string& out) {
  const bool is_shortened = load16(value.data()) == kAsTrans.value();
  if (is_shortened && !as4.empty()) {
    out.append(bytes::text_of(as4));
    return;
  }
  out.append(2, '\0');
  out.append(bytes::text_of(value));
}

void append_value(const WireAttribute& attribute, const As4Attributes& as4, std::string& out) {
  const bytes::View value = attribute.value();
  const std::size_t start = out.size();
  switch (attribute.form) {
    case ValueForm::kWidenAsPath: return append_merged_path(value, as4.path, out);
    case ValueForm::kWidenAggregator: return append_aggregator(value, as4.aggregator, out);
    case ValueForm::kAsIs: out.append(bytes::text_of(value)); return;
    case ValueForm::kSort4: out.append(bytes::text_of(value)); return sort_elements(out, start, 4);
    case ValueForm::kSort8: out.append(bytes::text_of(value)); return sort_elements(out, start, 8);
    case ValueForm::kSort12: out.append(bytes::text_of(value)); return sort_elements(out, start, 12);
    case ValueForm::kSort20: out.append(bytes::text_of(value)); return sort_elements(out, start, 20);
  }
}

// Fills in the header of a value that stands in `out` after room for the long one.
void finish_header(std::size_t start, std::uint8_t flags, std::uint8_t type, std::string& out) {
  std::size_t size = out.size() - start - kLongHeader;
  if (size <= 255) {
    out.erase(start, 1);
    store8(store8(store8(out.data() + start, flags), type), static_cast<std::uint8_t>(size));
    return;
  }
  if (size > 0xffff) size = 0xffff;
  out.resize(start + kLongHeader + size);
  store16(store8(store8(out.data() + start, flags | kFlagExtendedLength), type), static_cast<std::uint16_t>(size));
}

void append_rebuilt(const WireAttribute& attribute, const As4Attributes& as4, std::string& out) {
  const std::size_t start = out.size();
  out.append(kLongHeader, '\0');
  append_value(attribute, as4, out);
  finish_header(start, attribute.flags, attribute.type, out);
}

}  // namespace

void CanonicalAttributes::add(const WireAttribute& attribute) {
  is_sorted_ = is_sorted_ && (count_ == 0 || items_[count_ - 1].type < attribute.type);
  items_[count_++] = attribute;
}

void CanonicalAttributes::sort() {
  const auto end = items_.begin() + static_cast<std::ptrdiff_t>(count_);
  std::sort(items_.begin(), end, [](const WireAttribute& a, const WireAttribute& b) { return a.type < b.type; });
  is_sorted_ = true;
}

void CanonicalAttributes::write(const As4Attributes& as4, std::string& out) {
  if (!is_sorted_) sort();
  for (std::size_t i = 0; i < count_;) {
    if (!stands_as_it_should(items_[i])) {
      append_rebuilt(items_[i++], as4, out);
      continue;
    }
    const std::uint8_t* const start = items_[i].start;
    const std::uint8_t* end = items_[i++].end();
    while (i < count_ && items_[i].start == end && stands_as_it_should(items_[i])) end = items_[i++].end();
    out.append(reinterpret_cast<const char*>(start), static_cast<std::size_t>(end - start));
  }
}

void append_attribute(std::uint8_t flags, std::uint8_t type, bytes::View value, std::string& out) {
  const std::size_t start = out.size();
  out.append(kLongHeader, '\0');
  out.append(bytes::text_of(value));
  finish_header(start, flags, type, out);
}

void sort_elements(std::string& out, std::size_t start, std::size_t size) {
  switch (size) {
    case 4: return sort_as_arrays<4>(out, start);
    case 8: return sort_as_arrays<8>(out, start);
    case 12: return sort_as_arrays<12>(out, start);
    default: return sort_as_arrays<20>(out, start);
  }
}

}  // namespace margay::bgp::wire
