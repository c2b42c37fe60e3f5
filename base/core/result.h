// Result<T, E>: a value or the error that prevented it. Status is a Result without a value.
//
//   Result<IpPrefix> parse(std::string_view text);
//   MARGAY_ASSIGN_OR_RETURN(const IpPrefix prefix, parse(text));
//
// value() on an error and error() on a value are our own mistakes: they abort.
#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include "base/core/check.h"
#include "base/core/error.h"

namespace margay {

template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = E;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  const T& value() const& { return std::get<0>(checked(0)); }
  T& value() & { return std::get<0>(checked(0)); }
  T&& value() && { return std::get<0>(std::move(checked(0))); }
  const E& error() const& { return std::get<1>(checked(1)); }
  E&& error() && { return std::get<1>(std::move(checked(1))); }

  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  T value_or(T fallback) const& { return ok() ? value() : std::move(fallback); }

 private:
  const std::variant<T, E>& checked(std::size_t index) const {
    MARGAY_CHECK(state_.index() == index);
    return state_;
  }
  std::variant<T, E>& checked(std::size_t index) {
    MARGAY_CHECK(state_.index() == index);
    return state_;
  }

  std::variant<T, E> state_;
};

using Status = Result<std::monostate>;

inline Status ok_status() { return Status(std::monostate{}); }

}  // namespace margay

#define MARGAY_CONCAT_INNER(a, b) a##b
#define MARGAY_CONCAT(a, b) MARGAY_CONCAT_INNER(a, b)

#define MARGAY_RETURN_IF_ERROR(expression)                                   \
  do {                                                                       \
    if (auto margay_status = (expression); !margay_status.ok()) [[unlikely]] \
      return std::move(margay_status).error();                               \
  } while (false)

#define MARGAY_ASSIGN_OR_RETURN(declaration, expression) \
  MARGAY_ASSIGN_OR_RETURN_INNER(MARGAY_CONCAT(margay_result_, __LINE__), declaration, expression)
#define MARGAY_ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                          \
  if (!result.ok()) [[unlikely]]                                       \
    return std::move(result).error();                                  \
  declaration = std::move(result).value()
