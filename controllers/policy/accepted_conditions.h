// AcceptedConditions: condition Accepted on policies of which a part cannot be honoured, with what and why; true again
// once all of it is.
//
//   set_problem(source, text) ─┐
//   look_at(source) ───────────┴─▶ carrier, as `find` has it ─▶ PATCH …/status where it says something else
//
// A policy with which all was well gets no condition. Others' conditions stay; each patch names the version it was made
// for. Nothing is written while it is not leading. Thread: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controllers/runtime/key_queue.h"
#include "controllers/runtime/object_writer.h"
#include "datastore/model/key.h"
#include "datastore/model/meta.h"

namespace margay::controllers {

inline constexpr std::string_view kAcceptedCondition = "Accepted";

class AcceptedConditions {
 public:
  // The object whose status speaks of a source, as it is now.
  struct Carrier {
    model::ObjectKey key;
    std::string resource_version;
    std::int64_t generation = 0;
    std::vector<model::Condition> conditions;
  };
  using Find = std::function<std::optional<Carrier>(const model::ObjectKey& source)>;

  AcceptedConditions(const WriterParts& parts, Find find);

  // "": there is none.
  void set_problem(const model::ObjectKey& source, std::string_view text);
  // The carrier has changed, or what is said is to be held against it once more.
  void look_at(const model::ObjectKey& source) { queue_.add(source); }
  // The source has gone.
  void forget(const model::ObjectKey& source) { problems_.erase(source); }
  void lead(bool is_leading) { is_leading ? queue_.release_all() : queue_.hold(); }
  [[nodiscard]] bool is_settled() const { return queue_.is_idle(); }

 private:
  void write(const model::ObjectKey& source, const std::function<void(Verdict)>& done);

  WriterParts parts_;
  Find find_;
  std::map<model::ObjectKey, std::string> problems_;
  std::map<model::ObjectKey, kube::OperationPtr> operations_;
  KeyQueue<model::ObjectKey> queue_;
};

}  // namespace margay::controllers
