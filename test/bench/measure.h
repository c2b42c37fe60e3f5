// Small helpers of the benchmarks: samples with their median and percentiles, one line a figure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace margay::bench {

// The clock of the benchmarks: they measure real time, nothing else in the tree does.
using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Samples {
 public:
  void add(double value) { values_.push_back(value); }
  [[nodiscard]] std::size_t count() const { return values_.size(); }
  // The value that a part `p` (0 to 1) of the samples does not exceed; 0 without samples.
  [[nodiscard]] double percentile(double p) const {
    if (values_.empty()) return 0;
    std::vector<double> sorted = values_;
    std::sort(sorted.begin(), sorted.end());
    const auto last = static_cast<double>(sorted.size() - 1);
    return sorted[static_cast<std::size_t>(p * last + 0.5)];
  }
  [[nodiscard]] double median() const { return percentile(0.5); }

 private:
  std::vector<double> values_;
};

// "netctl version          median   1.9 ms   p99   2.4 ms   n 50"
inline void print_samples(const std::string& what, const Samples& samples, double scale, const char* unit) {
  std::printf("%-44s median %9.2f %-4s p99 %9.2f %-4s n %zu\n", what.c_str(), samples.median() * scale, unit,
              samples.percentile(0.99) * scale, unit, samples.count());
}

inline void print_figure(const std::string& what, double value, const char* unit) {
  std::printf("%-44s        %9.1f %s\n", what.c_str(), value, unit);
}

}  // namespace margay::bench
