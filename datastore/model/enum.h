// The texts of enumerations: each enum of the model is followed by a specialisation of EnumText with the words objects
// use, in the order of its enumerators (which count from 0).
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <string_view>

#include "base/core/text.h"

namespace margay::model {

template <class E>
struct EnumText;

// Where Calico reads a word in any case, EnumText<E>::kAnyCase says so.
template <class E>
concept NamedEnum = requires {
  EnumText<E>::kWords;
};

template <NamedEnum E>
constexpr std::string_view to_string(E value) {
  return EnumText<E>::kWords[static_cast<std::size_t>(value)];
}

template <NamedEnum E>
std::optional<E> parse_enum(std::string_view word) {
  for (std::size_t i = 0; i < std::size(EnumText<E>::kWords); ++i) {
    bool is_it = EnumText<E>::kWords[i] == word;
    if constexpr (requires { EnumText<E>::kAnyCase; }) is_it = equals_ignoring_case(EnumText<E>::kWords[i], word);
    if (is_it) return static_cast<E>(i);
  }
  return std::nullopt;
}

enum class Switch { kDisabled, kEnabled };
template <>
struct EnumText<Switch> {
  static constexpr std::string_view kWords[] = {"Disabled", "Enabled"};
};

enum class LogSeverity { kNone, kTrace, kDebug, kInfo, kWarning, kError, kFatal, kPanic };
template <>
struct EnumText<LogSeverity> {
  static constexpr std::string_view kWords[] = {"None", "Trace", "Debug", "Info", "Warning", "Error", "Fatal", "Panic"};
  static constexpr bool kAnyCase = true;
};

// Which of the two wins in a cluster is a setting of the agent and of BGP: who writes the routes to other nodes' pods.
enum class ProgramClusterRoutes { kEnabled, kDisabled, kEnabledIpipOnly, kEnabledNoEncapOnly };
template <>
struct EnumText<ProgramClusterRoutes> {
  static constexpr std::string_view kWords[] = {"Enabled", "Disabled", "EnabledIPIPOnly", "EnabledNoEncapOnly"};
};

}  // namespace margay::model
