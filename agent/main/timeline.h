// Timeline: when this life of the agent reached which stage, for people and for who waits.
//
//   KernelRead ─▶ DatastoreInSync ─▶ CalcFlushed ─▶ DataplaneSynced ─▶ BgpStarted ─▶ Ready
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/core/time.h"

namespace margay::agent {

enum class Stage : std::uint8_t { kKernelRead, kDatastoreInSync, kCalcFlushed, kDataplaneSynced, kBgpStarted, kReady };
inline constexpr std::size_t kStageCount = 6;

constexpr std::string_view to_string(Stage stage) {
  constexpr std::string_view kNames[kStageCount] = {"KernelRead",      "DatastoreInSync", "CalcFlushed",
                                                    "DataplaneSynced", "BgpStarted",      "Ready"};
  return kNames[static_cast<std::size_t>(stage)];
}

class Timeline {
 public:
  explicit Timeline(TimePoint start) : start_(start) {}

  // True the first time.
  bool reach(Stage stage, TimePoint now) {
    auto& at = reached_[static_cast<std::size_t>(stage)];
    if (at) return false;
    at = now - start_;
    return true;
  }
  // Since the start; nullopt: not yet.
  [[nodiscard]] std::optional<Duration> at(Stage stage) const { return reached_[static_cast<std::size_t>(stage)]; }
  [[nodiscard]] bool has(Stage stage) const { return at(stage).has_value(); }

 private:
  TimePoint start_;
  std::array<std::optional<Duration>, kStageCount> reached_{};
};

}  // namespace margay::agent
