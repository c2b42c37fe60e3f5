#include "controllers/runtime/settings_keeper.h"

#include <utility>

#include "base/core/text.h"
#include "datastore/codec/codec.h"

namespace margay::controllers {
namespace {

constexpr std::string_view kName = "default";

const kube::ResourceType& configuration_type() {
  static const kube::ResourceType type = watch::resource_of(model::Kind::kKubeControllersConfiguration);
  return type;
}

// Nothing to try again: the watch shows what is there now, and then it is looked at once more.
bool is_for_the_watch(const kube::ApiError& error) {
  return error.code == ErrorCode::kConflict || error.code == ErrorCode::kNotFound ||
         error.code == ErrorCode::kAlreadyExists;
}

}  // namespace

SettingsKeeper::SettingsKeeper(WriterParts parts, const watch::WatchEnvironment& environment, Variables variables,
                               std::function<void(const Settings&)> on_change)
    : parts_(std::move(parts)),
      variables_(std::move(variables)),
      on_change_(std::move(on_change)),
      queue_(parts_.loop, parts_.random, {}, [this](int, const std::function<void(Verdict)>& done) { write(done); }),
      cluster_(environment, [this](bool is_in_sync) { on_turn(is_in_sync); }) {
  queue_.hold();
  cluster_.add<Object>({.field_selector = concat("metadata.name=", kName)},
                       {[this](const model::ObjectKey& key, const std::shared_ptr<const Object>& object) {
                         if (key.name == kName) object_ = object;
                       }});
}

void SettingsKeeper::on_turn(bool is_in_sync) {
  if (!is_in_sync) return;
  Settings settings = settle(object_ == nullptr ? nullptr : &object_->spec, variables_);
  queue_.add(0);
  if (settings_ == settings) return;
  for (const std::string& problem : settings.problems) {
    parts_.log.warn("a setting is not honoured", {{"reason", problem}});
  }
  settings_ = std::move(settings);
  on_change_(*settings_);
}

void SettingsKeeper::write(const std::function<void(Verdict)>& done) {
  auto answered = [this, done](const kube::ApiResult<json::Value>& answer) {
    const kube::OperationPtr ended = std::move(operation_);
    if (answer.ok() || is_for_the_watch(answer.error())) return done(Verdict::kDone);
    parts_.log.warn("KubeControllersConfiguration cannot be written", {{"error", answer.error().message}});
    done(Verdict::kRetry);
  };
  json::Value body;
  if (object_ == nullptr) {
    Object made;
    made.metadata.name = kName;
    made.spec = default_spec();
    codec::encode(made, body);
    operation_ = parts_.client.create(configuration_type(), "", body, {}, std::move(answered));
    return;
  }
  Object object = *object_;
  object.status.running_config = settings_->spec;
  object.status.environment_vars = settings_->environment;
  if (object.status == object_->status) return done(Verdict::kDone);
  codec::encode(object, body);
  operation_ =
      parts_.client.update_status(configuration_type(), {"", std::string(kName)}, body, {}, std::move(answered));
}

}  // namespace margay::controllers
