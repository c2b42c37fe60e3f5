// The store that --store names.
#pragma once

#include <memory>
#include <string>

#include "base/core/random.h"
#include "base/core/result.h"
#include "base/loop/loop.h"
#include "base/loop/stream.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "datastore/apiserver/flags.h"
#include "datastore/store/store.h"

namespace margay::apiserver {

class ChosenStore {
 public:
  virtual ~ChosenStore() = default;
  virtual store::Store& store() = 0;
  [[nodiscard]] virtual std::string name() const = 0;  // for logs
  // What must not be lost is written.
  virtual Status close() = 0;
};

struct StoreEnvironment {
  loop::Loop& loop;
  loop::Network& network;
  Random& random;
  telemetry::Registry& metrics;
  telemetry::Logger log;
};
Result<std::unique_ptr<ChosenStore>> choose_store(StoreEnvironment environment, const StoreSpec& spec);

}  // namespace margay::apiserver
