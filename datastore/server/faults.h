// Faults: makes the server fail on purpose, for tests of clients. Only with --enable-fault-injection.
//
//   PUT /debug/faults {"rules":[{"verb":"list","resource":"pods","namespace":"a","name":"b",
//                                "count":2 | "probability":0.1, "action":"status","status":429,"retryAfterSeconds":1}]}
//   GET /debug/faults       the rules, with what is left of their counts
//   POST /debug/faults/drop-watches    cuts every watch and list under way
//
// Rules are tried in order; the first that fits and is not used up acts. Absent fields fit everything. Actions:
//   delay (delayMs)   drop (closes the connection without an answer)   status (status, retryAfterSeconds)
//   truncate (bytes: so much of the body, then the connection is closed)
//   dropWatch (afterMs: the connection is closed that long after the request)
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/random.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "base/json/value.h"

namespace margay::server {

struct FaultRule {
  enum class Action { kDelay, kDrop, kStatus, kTruncate, kDropWatch };
  std::string verb;
  std::string resource;  // plural
  std::string name_space;
  std::string name;
  std::optional<std::int64_t> count;  // how often it still acts; absent: always
  double probability = 1;
  Action action = Action::kDrop;
  Duration delay = Duration::zero();  // kDelay, kDropWatch
  int status = 500;
  std::optional<int> retry_after_seconds;
  std::size_t bytes = 0;
};

struct FaultTarget {
  std::string_view verb;
  std::string_view resource;
  std::string_view name_space;
  std::string_view name;
};

class Faults {
 public:
  // Replaces the rules; on an error, which names the rule, nothing changes.
  Status set(const json::Value& document);
  [[nodiscard]] json::Value to_value() const;
  // What is to happen to this request; uses up one of the rule's count.
  std::optional<FaultRule> next(const FaultTarget& target, Random& random);

 private:
  std::vector<FaultRule> rules_;
};

}  // namespace margay::server
