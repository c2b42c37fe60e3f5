// What CniServer keeps of containers and of requests under way.
// Thread: the control loop's.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "agent/cni/attached_endpoints.h"
#include "agent/cni/cluster_facts.h"
#include "agent/cni/readiness.h"
#include "agent/cni/release_spool.h"
#include "agent/cni/request.h"
#include "base/core/string_map.h"
#include "base/http/server.h"
#include "base/ip/mac.h"
#include "base/loop/loop.h"
#include "datastore/kube/client.h"

namespace margay::agent {

enum class SpoolNote { kNone, kQuick, kFlushed };  // that a release is to be done
enum class Noting { kOpen, kDone, kFailed };

// A container that has addresses.
struct Attachment {
  CniRequest request;
  NewEndpoint endpoint;
  std::optional<Mac> mac;
  Noting noting = Noting::kOpen;  // of the addresses on the pod, or as a WorkloadEndpoint
  std::string problem;
  kube::OperationPtr operation;
  int note_failures = 0;
  std::unique_ptr<loop::Timer> note_again{};
};

struct AddJob {
  CniRequest request;
  std::unique_ptr<http::Responder> responder;  // null: the plan was told, and nobody has asked for addresses yet
  bool waits_for_del = false;                  // of an earlier life of the container
  kube::OperationPtr operation;
  ipam::RequestId assigning = 0;
  AddressPlan plan;
  std::unique_ptr<loop::Timer> deadline;
  StringMap attributes;
};

struct ReadyJob {
  std::string container;
  std::unique_ptr<http::Responder> responder;
  std::unique_ptr<ReadinessWait> wait;
  std::unique_ptr<loop::Timer> deadline;
  TimePoint until{};
};

struct DelJob {
  PendingRelease release;
  std::unique_ptr<http::Responder> responder;  // null: answered, or nobody asked
  std::unique_ptr<loop::Timer> deadline;
  SpoolNote note = SpoolNote::kNone;
  std::unique_ptr<loop::Timer> patience;
  bool must_release = true, must_clear = true;  // and is not under way
  std::size_t open = 0;                         // releases under way
  kube::OperationPtr clearing;                  // of the note
  bool was_ours = false;                        // this life of the agent made the note
  std::string pod_uid;                          // then; else ""
  std::unique_ptr<loop::Timer> retry;
};

}  // namespace margay::agent
