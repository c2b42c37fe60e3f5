#include "datastore/server/mutator.h"

#include <utility>

#include "datastore/server/object.h"

namespace margay::server {
namespace {

constexpr int kAttemptsMax = 20;

json::Value without_revision(json::Value object) {
  metadata_of(object).make_object().erase("resourceVersion");
  return object;
}

// In whatever order the members stand.
bool is_same(const json::Value& a, const json::Value& b) { return without_revision(a) == without_revision(b); }

}  // namespace

struct Mutator::Run {
  Request request;
  Callback<void(ApiResult<Outcome>)> done;
  int attempts = 0;
};

void Mutator::run(Request request, Callback<void(ApiResult<Outcome>)> done) {
  const bool reads_first = request.reads_first || request.is_dry_run;
  auto run = std::make_unique<Run>(Run{std::move(request), std::move(done)});
  if (reads_first) return read(std::move(run));
  plan(std::move(run), std::nullopt);
}

void Mutator::read(std::unique_ptr<Run> run) {
  std::string key = run->request.key;
  store_.get(std::move(key), [this, run = std::move(run)](Result<store::GetReply> reply) mutable {
    if (!reply) return run->done(from_store(reply.error(), run->request.subject));
    if (!reply->entry) return plan(std::move(run), std::nullopt);
    const store::Entry& entry = *reply->entry;
    auto object = decode_stored(*entry.value, entry.revision);
    if (!object) return run->done(internal(object.error().within(entry.key).message));
    plan(std::move(run), Current{entry.value, std::move(object).value(), entry.revision});
  });
}

void Mutator::plan(std::unique_ptr<Run> run, const std::optional<Current>& current) {
  auto plan = run->request.plan(current);
  if (!plan) return run->done(std::move(plan).error());
  write(std::move(run), std::move(plan).value(), current);
}

void Mutator::write(std::unique_ptr<Run> run, Plan plan, const std::optional<Current>& current) {
  Outcome outcome{plan.kind, !current, encode_stored(plan.object), current ? current->revision : 0,
                  std::move(plan.warnings)};
  const bool is_unchanged = plan.kind == Plan::Kind::kPut && current && is_same(plan.object, current->object);
  if (is_unchanged) outcome.kind = Plan::Kind::kKeep;
  if (run->request.is_dry_run || outcome.kind == Plan::Kind::kKeep) return run->done(std::move(outcome));
  const std::string key = run->request.key;
  std::string value = outcome.kind == Plan::Kind::kPut ? outcome.stored : std::string();
  const bool is_removal = outcome.kind == Plan::Kind::kRemove;
  auto done = [this, run = std::move(run),
               outcome = std::move(outcome)](const Result<store::Revision>& result) mutable {
    written(std::move(run), std::move(outcome), result);
  };
  if (is_removal) return store_.remove(key, current->revision, std::move(done));
  const store::Precondition precondition =
      current ? store::Precondition{store::Precondition::Kind::kRevision, current->revision} : store::Precondition{};
  store_.put(key, std::move(value), precondition, std::move(done));
}

void Mutator::written(std::unique_ptr<Run> run, Outcome outcome, const Result<store::Revision>& result) {
  if (result.ok()) {
    if (outcome.kind == Plan::Kind::kPut) outcome.revision = result.value();
    return run->done(std::move(outcome));
  }
  const ErrorCode code = result.error().code;
  const bool somebody_was_first =
      code == ErrorCode::kConflict || code == ErrorCode::kNotFound || code == ErrorCode::kAlreadyExists;
  if (!somebody_was_first || ++run->attempts >= kAttemptsMax)
    return run->done(from_store(result.error(), run->request.subject));
  read(std::move(run));
}

}  // namespace margay::server
