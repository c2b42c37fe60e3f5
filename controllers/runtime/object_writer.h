// ObjectWriter: does one planned write after the other and says what became of it, for KeptObjects.
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "base/core/random.h"
#include "base/json/value.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "controllers/runtime/key_queue.h"
#include "datastore/kube/client.h"

namespace margay::controllers {

struct WriterParts {
  loop::Loop& loop;
  kube::Client& client;
  Random& random;
  telemetry::Logger log{};
};

struct PlannedWrite {
  enum class What { kNothing, kCreate, kUpdate, kRemove };
  What what = What::kNothing;
  json::Value object{};  // kCreate, kUpdate (with its resourceVersion)
  std::string uid{};     // kRemove: of this one, in this version, and no other
  std::string resource_version{};
};

struct WriteCounts {
  std::uint64_t created = 0, updated = 0, removed = 0, failed = 0;
};

class ObjectWriter {
 public:
  using Problem = std::function<void(const kube::ObjectName& name, const std::string& text)>;

  ObjectWriter(WriterParts parts, kube::ResourceType type, Problem problem)
      : parts_(std::move(parts)), type_(std::move(type)), problem_(std::move(problem)) {}

  // kRetry: look again, it did not work or may not have; kDone: nothing to be done, or done.
  void write(const kube::ObjectName& name, const PlannedWrite& write, std::function<void(Verdict)> done);
  [[nodiscard]] const WriteCounts& counts() const { return counts_; }

 private:
  void finish(const kube::ObjectName& name, PlannedWrite::What what, const kube::ApiResult<json::Value>& answer,
              const std::function<void(Verdict)>& done);

  WriterParts parts_;
  kube::ResourceType type_;
  Problem problem_;
  WriteCounts counts_;
  std::set<kube::ObjectName> taken_;  // said to be there already when they were last made
  std::map<kube::ObjectName, kube::OperationPtr> operations_;
};

}  // namespace margay::controllers
