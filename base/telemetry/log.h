// Logging: one line an event, with fields, as logfmt or JSON.
//
//   LogOutput output(sink, system_wall_clock, Level::kInfo);         // one a process, in main
//   const Logger log = Logger(output).with({{"scope", "bgp"}, {"peer", peer}});
//   log.warn("hold timer expired", {{"hold_time", hold_time}});
//
// There is no global logger: a Logger is a value that is handed in and copied; a default one discards everything.
// Level by who must act: error: a person must; warn: we are degraded and retry; info: state changes; debug: the rest.
//
// Threads: a Logger may be used by any thread, and so may LogOutput::set_level.
#pragma once

#include <array>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

namespace margay::telemetry {

enum class Level : std::uint8_t { kDebug, kInfo, kWarn, kError, kOff };
// "debug", "info", "warn", "error", "off"
std::string_view to_string(Level level);
// In any case; "warning" as well.
Result<Level> parse_level(std::string_view text);

// What a field can carry: numbers, bool, text, durations ("1.5s"), errors, and whatever has to_string().
class FieldValue {
 public:
  using Data = std::variant<bool, std::int64_t, std::uint64_t, double, std::string>;

  FieldValue(std::same_as<bool> auto value) : data_(value) {}
  FieldValue(std::signed_integral auto value) : data_(std::int64_t{value}) {}
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) FieldValue(T value) : data_(std::uint64_t{value}) {}
  FieldValue(double value) : data_(value) {}
  FieldValue(const char* value) : data_(std::string(value)) {}
  FieldValue(std::string_view value) : data_(std::string(value)) {}
  FieldValue(std::string value) : data_(std::move(value)) {}
  template <class Rep, class Period>
  FieldValue(std::chrono::duration<Rep, Period> value) : FieldValue(duration_text(value)) {}
  FieldValue(const Error& value);
  template <class T>
  requires requires(const T& value) { std::string(value.to_string()); }
  FieldValue(const T& value) : data_(std::string(value.to_string())) {}
  template <class T>
  requires std::is_enum_v<T> && requires(T value) { std::string(to_string(value)); }
  FieldValue(T value) : data_(std::string(to_string(value))) {}

  [[nodiscard]] const Data& data() const { return data_; }

 private:
  static std::string duration_text(Duration value);

  Data data_;
};

struct Field {
  std::string key;
  FieldValue value;
};

// One event, as a sink gets it. The fields of the call come after those of the logger; of equal keys the last counts.
struct Record {
  WallTime time;
  Level level = Level::kInfo;
  std::string_view message;
  std::span<const Field> logger_fields;
  std::span<const Field> call_fields;
};

// Where records go. write() is called by any thread, by several at once.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void write(const Record& record) = 0;
};

using WallClock = WallTime (*)();

// The level, the clock and the sink that all loggers of a process share. Must outlive them.
class LogOutput {
 public:
  LogOutput(Sink& sink, WallClock clock, Level level) : sink_(sink), clock_(clock), level_(level) {}

  void set_level(Level level) { level_.store(level, std::memory_order_relaxed); }
  [[nodiscard]] Level level() const { return level_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool is_enabled(Level level) const { return level >= this->level() && level != Level::kOff; }
  // Records written of that level.
  [[nodiscard]] std::uint64_t count(Level level) const;

  void write(Level level, std::string_view message, std::span<const Field> logger_fields,
             std::span<const Field> call_fields);

 private:
  Sink& sink_;
  WallClock clock_;
  std::atomic<Level> level_;
  std::array<std::atomic<std::uint64_t>, 4> counts_{};
};

class Logger {
 public:
  using Fields = std::initializer_list<Field>;

  Logger() = default;
  explicit Logger(LogOutput& output) : output_(&output) {}

  // A logger that adds these fields to each of its records.
  [[nodiscard]] Logger with(Fields fields) const;
  // To skip costly arguments; the calls below check it themselves.
  [[nodiscard]] bool is_enabled(Level level) const { return output_ != nullptr && output_->is_enabled(level); }

  void debug(std::string_view message, Fields fields = {}) const { log(Level::kDebug, message, fields); }
  void info(std::string_view message, Fields fields = {}) const { log(Level::kInfo, message, fields); }
  void warn(std::string_view message, Fields fields = {}) const { log(Level::kWarn, message, fields); }
  void error(std::string_view message, Fields fields = {}) const { log(Level::kError, message, fields); }
  void log(Level level, std::string_view message, Fields fields = {}) const;

 private:
  LogOutput* output_ = nullptr;
  std::vector<Field> fields_;
};

}  // namespace margay::telemetry
