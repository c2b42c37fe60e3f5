#include "controllers/ipam/ask_runner.h"

#include <utility>

#include "datastore/codec/codec.h"
#include "datastore/codec/decoded.h"
#include "datastore/watch/resource_of.h"

namespace margay::controllers {

template <class T>
kube::ObjectDone AskRunner::decoder(std::uint64_t id, Done done) {
  return [this, id, done = std::move(done)](const kube::ApiResult<json::Value>& answer) {
    const auto operation = operations_.extract(id);  // ends with this call
    if (!answer.ok()) return done(answer.error().to_error());
    auto read = codec::decoded<T>(*answer);
    if (!read.ok()) return done(Error{ErrorCode::kInvalid, read.error().message});
    if constexpr (std::is_constructible_v<ipam::Object, T>) {
      done(Told(ipam::Object(std::move(read).value())));
    } else {
      done(Told(std::move(read).value()));
    }
  };
}

template <class T>
void AskRunner::read(const kube::ObjectName& name, Done done) {
  const std::uint64_t id = ++last_;
  operations_[id] = client_.get(watch::resource_of(T::kKind), name, decoder<T>(id, std::move(done)));
}

template <class T>
void AskRunner::put_object(ipam::Verb verb, const T& object, Done done) {
  const kube::ResourceType type = watch::resource_of(T::kKind);
  const kube::ObjectName name{"", object.metadata.name};
  if (verb == ipam::Verb::kGet) return read<T>(name, std::move(done));
  const std::uint64_t id = ++last_;
  ++writes_;
  if (verb == ipam::Verb::kDelete) {
    operations_[id] =
        client_.remove(type, name, {.uid = object.metadata.uid, .resource_version = object.metadata.resource_version},
                       [this, id, object, done = std::move(done)](const kube::ApiResult<json::Value>& answer) {
                         const auto operation = operations_.extract(id);
                         if (!answer.ok()) return done(answer.error().to_error());
                         done(Told(ipam::Object(object)));
                       });
    return;
  }
  json::Value body;
  codec::encode(object, body);
  operations_[id] = verb == ipam::Verb::kCreate ? client_.create(type, "", body, {}, decoder<T>(id, std::move(done)))
                                                : client_.update(type, name, body, {}, decoder<T>(id, std::move(done)));
}

void AskRunner::put(const ipam::Call& call, Done done) {
  std::visit([&](const auto& object) { put_object(call.verb, object, std::move(done)); }, call.object);
}

void AskRunner::run(const Ask& ask, Done done) {
  if (const auto* pod = std::get_if<ReadPod>(&ask))
    return read<model::Pod>({pod->name_space, pod->name}, std::move(done));
  if (const auto* node = std::get_if<ReadNode>(&ask)) return read<model::Node>({"", node->name}, std::move(done));
  put(std::get<ipam::Call>(ask), std::move(done));
}

}  // namespace margay::controllers
