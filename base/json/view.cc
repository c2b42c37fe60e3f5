// View over simdjson's DOM. A parsed document is a tape of 64-bit words, one for each value (two for numbers); a View
// is the place of its word.
#include "base/json/view.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/core/check.h"
#include "base/core/text.h"
#include "simdjson.h"

namespace margay::json {
namespace {

using simdjson::internal::tape_ref;
using simdjson::internal::tape_type;

tape_ref word_at(const void* document, std::size_t index) {
  return {static_cast<const simdjson::dom::document*>(document), index};
}

Type type_of(tape_type type) {
  switch (type) {
    case tape_type::TRUE_VALUE:
    case tape_type::FALSE_VALUE: return Type::kBool;
    case tape_type::INT64: return Type::kInteger;
    case tape_type::UINT64:  // only used above the range of int64
    case tape_type::DOUBLE: return Type::kDouble;
    case tape_type::STRING: return Type::kString;
    case tape_type::START_ARRAY: return Type::kArray;
    case tape_type::START_OBJECT: return Type::kObject;
    case tape_type::NULL_VALUE:
    case tape_type::ROOT:
    case tape_type::END_ARRAY:
    case tape_type::END_OBJECT: return Type::kNull;
  }
  return Type::kNull;
}

double number_at(const tape_ref& word) {
  if (word.tape_ref_type() == tape_type::DOUBLE) return word.next_tape_value<double>();
  return static_cast<double>(word.next_tape_value<std::uint64_t>());
}

}  // namespace

bool View::is_given() const { return type() != Type::kNull; }

Type View::type() const { return is_present() ? type_of(word_at(document_, index_).tape_ref_type()) : Type::kNull; }

std::optional<bool> View::boolean() const {
  if (type() != Type::kBool) return std::nullopt;
  return word_at(document_, index_).is_true();
}

std::optional<std::int64_t> View::integer() const {
  const Type found = type();
  const tape_ref word = word_at(document_, index_);
  if (found == Type::kInteger) return word.next_tape_value<std::int64_t>();
  if (found != Type::kDouble) return std::nullopt;
  const double value = number_at(word);
  if (!(value >= -0x1p63 && value < 0x1p63) || std::trunc(value) != value) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::optional<double> View::number() const {
  const Type found = type();
  const tape_ref word = word_at(document_, index_);
  if (found == Type::kInteger) return static_cast<double>(word.next_tape_value<std::int64_t>());
  if (found == Type::kDouble) return number_at(word);
  return std::nullopt;
}

std::optional<std::string_view> View::string() const {
  if (type() != Type::kString) return std::nullopt;
  return word_at(document_, index_).get_string_view();
}

View View::operator[](std::string_view name) const {
  if (type() != Type::kObject) return {};
  const tape_ref object = word_at(document_, index_);
  const std::size_t end = object.matching_brace_index() - 1;
  for (tape_ref at = word_at(document_, index_ + 1); at.json_index < end;) {
    const bool is_it = at.get_string_view() == name;
    ++at.json_index;
    if (is_it) return {document_, at.json_index};
    at.json_index = at.after_element();
  }
  return {};
}

View::Elements View::elements() const {
  Elements range;
  if (type() != Type::kArray) return range;
  range.begin_.document_ = range.end_.document_ = document_;
  range.begin_.index_ = index_ + 1;
  range.end_.index_ = word_at(document_, index_).matching_brace_index() - 1;
  return range;
}

View::Members View::members() const {
  Members range;
  if (type() != Type::kObject) return range;
  range.begin_.document_ = range.end_.document_ = document_;
  range.begin_.index_ = index_ + 1;
  range.end_.index_ = word_at(document_, index_).matching_brace_index() - 1;
  return range;
}

View View::Elements::Iterator::operator*() const { return {document_, index_}; }

View::Elements::Iterator& View::Elements::Iterator::operator++() {
  index_ = word_at(document_, index_).after_element();
  return *this;
}

View::Members::Entry View::Members::Iterator::operator*() const {
  return {word_at(document_, index_).get_string_view(), {document_, index_ + 1}};
}

View::Members::Iterator& View::Members::Iterator::operator++() {
  index_ = word_at(document_, index_ + 1).after_element();
  return *this;
}

Value View::to_value() const {
  switch (type()) {
    case Type::kNull: return {};
    case Type::kBool: return *boolean();
    case Type::kInteger: return *integer();
    case Type::kDouble: return *number();
    case Type::kString: return *string();
    case Type::kArray: {
      Array array;
      for (const View element : elements()) array.push_back(element.to_value());
      return array;
    }
    case Type::kObject: {
      Object object;
      for (const auto& [name, value] : members()) object.append_new(std::string(name), value.to_value());
      return object;
    }
  }
  MARGAY_CHECK(!"json::Type out of range");
}

struct Document::Impl {
  simdjson::dom::parser parser;
  simdjson::dom::document document;
  std::unique_ptr<char[]> text;
  std::size_t text_capacity = 0;
  std::size_t depth_max = 0;

  simdjson::error_code read(std::string_view source, std::size_t depth_limit);
};

simdjson::error_code Document::Impl::read(std::string_view source, std::size_t depth_limit) {
  const std::size_t needed = source.size() + simdjson::SIMDJSON_PADDING;
  if (needed > text_capacity) {
    // for_overwrite: pages of the copy that are not needed are never touched.
    text = std::make_unique_for_overwrite<char[]>(needed);
    text_capacity = needed;
  }
  if (!source.empty()) std::memcpy(text.get(), source.data(), source.size());
  std::memset(text.get() + source.size(), ' ', simdjson::SIMDJSON_PADDING);
  if (parser.capacity() < source.size() || depth_max != depth_limit) {
    const std::size_t capacity = std::max(source.size(), parser.capacity());
    // simdjson counts the document itself as a level, and an empty array or object not at all.
    if (const auto failure = parser.allocate(capacity, depth_limit + 1)) return failure;
    depth_max = depth_limit;
  }
  return parser.parse_into_document(document, text.get(), source.size(), false).error();
}

Document::Document() : impl_(std::make_unique<Impl>()) {}
Document::~Document() = default;
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;

Result<View> Document::parse(std::string_view text, const ParseLimits& limits) {
  constexpr std::size_t kRootIndex = 1;  // the tape's first word is its own header
  if (text.size() > limits.bytes_max) {
    return Error{ErrorCode::kLimitExceeded,
                 concat("document of ", text.size(), " bytes, allowed are ", limits.bytes_max)};
  }
  if (impl_->read(text, limits.depth_max) == simdjson::SUCCESS) return View(&impl_->document, kRootIndex);
  // Off the fast path: the other parser names the place. Where it accepts (integers beyond 64 bits), what it read is
  // given to simdjson in a form that simdjson accepts.
  MARGAY_ASSIGN_OR_RETURN(const Value value, json::parse(text, limits));
  if (impl_->read(dump(value), limits.depth_max) == simdjson::SUCCESS) return View(&impl_->document, kRootIndex);
  return Error{ErrorCode::kInternal, "the JSON parsers disagree about this document"};
}

}  // namespace margay::json
