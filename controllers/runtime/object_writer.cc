#include "controllers/runtime/object_writer.h"

#include <utility>

#include "base/core/text.h"

namespace margay::controllers {
namespace {

std::string_view word_of(PlannedWrite::What what) {
  switch (what) {
    case PlannedWrite::What::kNothing: break;
    case PlannedWrite::What::kCreate: return "created";
    case PlannedWrite::What::kUpdate: return "updated";
    case PlannedWrite::What::kRemove: return "removed";
  }
  return "left alone";
}

// The watch has not shown yet what is there now; it will, and then the key is looked at again.
bool is_overtaken(PlannedWrite::What what, const kube::ApiError& error) {
  if (what == PlannedWrite::What::kCreate) return false;
  return error.code == ErrorCode::kConflict || error.code == ErrorCode::kNotFound;
}

}  // namespace

void ObjectWriter::write(const kube::ObjectName& name, const PlannedWrite& write, std::function<void(Verdict)> done) {
  using What = PlannedWrite::What;
  if (write.what == What::kNothing) return done(Verdict::kDone);
  auto answered = [this, name, what = write.what, done = std::move(done)](const kube::ApiResult<json::Value>& answer) {
    finish(name, what, answer, done);
  };
  kube::OperationPtr& operation = operations_[name];
  if (write.what == What::kCreate) {
    operation = parts_.client.create(type_, name.name_space, write.object, {}, std::move(answered));
  } else if (write.what == What::kUpdate) {
    operation = parts_.client.update(type_, name, write.object, {}, std::move(answered));
  } else {
    kube::DeleteOptions options;
    options.uid = write.uid;
    options.resource_version = write.resource_version;
    operation = parts_.client.remove(type_, name, options, std::move(answered));
  }
}

void ObjectWriter::finish(const kube::ObjectName& name, PlannedWrite::What what,
                          const kube::ApiResult<json::Value>& answer, const std::function<void(Verdict)>& done) {
  const auto operation = operations_.extract(name);  // ends with this call
  if (answer.ok()) {
    taken_.erase(name);
    if (what == PlannedWrite::What::kCreate) ++counts_.created;
    if (what == PlannedWrite::What::kUpdate) ++counts_.updated;
    if (what == PlannedWrite::What::kRemove) ++counts_.removed;
    parts_.log.debug("object", {{"kind", type_.kind}, {"name", name.name}, {"was", word_of(what)}});
    return done(Verdict::kDone);
  }
  const kube::ApiError& error = answer.error();
  if (is_overtaken(what, error)) return done(Verdict::kRetry);
  ++counts_.failed;
  if (error.code == ErrorCode::kAlreadyExists) {
    // The first time it may be ours, of a moment ago or an earlier life, and the watch is about to show it.
    if (!taken_.insert(name).second)
      problem_(name, concat("there is a ", type_.kind, " of the name ", name.name, " that is not ours"));
  } else if (error.code == ErrorCode::kInvalid || error.code == ErrorCode::kPermissionDenied) {
    problem_(name, error.message);
  }
  parts_.log.debug("object", {{"kind", type_.kind}, {"name", name.name}, {"error", error.message}});
  done(Verdict::kRetry);
}

}  // namespace margay::controllers
