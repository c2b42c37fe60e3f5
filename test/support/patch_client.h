// PatchClient: a kube::Client that keeps patches until the test answers them; nothing else may be asked for.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "datastore/kube/client.h"

namespace margay::test {

class PatchClient final : public kube::Client {
 public:
  struct Patch {
    std::string name, subresource, body;
    kube::PatchType type;
    kube::ObjectDone done;
  };
  // `plural`: of the only type that is patched.
  explicit PatchClient(std::string plural) : plural_(std::move(plural)) {}

  std::deque<Patch> open;

  void answer(bool is_ok) {
    Patch patch = std::move(open.front());
    open.pop_front();
    if (is_ok) return patch.done(json::Value(json::Object()));
    patch.done(kube::ApiError{.code = ErrorCode::kUnavailable, .message = "away"});
  }

  kube::OperationPtr patch(const kube::ResourceType& type, const kube::ObjectName& name, std::string_view subresource,
                           kube::PatchType patch_type, std::string body, const kube::WriteOptions&,
                           kube::ObjectDone done) override {
    EXPECT_EQ(type.plural, plural_);
    open.push_back({name.name, std::string(subresource), std::move(body), patch_type, std::move(done)});
    return std::make_unique<kube::Operation>();
  }
  kube::OperationPtr get(const kube::ResourceType&, const kube::ObjectName&, kube::ObjectDone) override { return no(); }
  kube::OperationPtr list(const kube::ResourceType&, std::string_view, const kube::ListOptions&,
                          kube::ListEvents) override {
    return no();
  }
  kube::OperationPtr watch(const kube::ResourceType&, std::string_view, const kube::WatchOptions&,
                           kube::WatchEvents) override {
    return no();
  }
  kube::OperationPtr create(const kube::ResourceType&, std::string_view, const json::Value&, const kube::WriteOptions&,
                            kube::ObjectDone) override {
    return no();
  }
  kube::OperationPtr update(const kube::ResourceType&, const kube::ObjectName&, const json::Value&,
                            const kube::WriteOptions&, kube::ObjectDone) override {
    return no();
  }
  kube::OperationPtr update_status(const kube::ResourceType&, const kube::ObjectName&, const json::Value&,
                                   const kube::WriteOptions&, kube::ObjectDone) override {
    return no();
  }
  kube::OperationPtr remove(const kube::ResourceType&, const kube::ObjectName&, const kube::DeleteOptions&,
                            kube::ObjectDone) override {
    return no();
  }
  kube::OperationPtr get_path(std::string_view, Callback<void(kube::ApiResult<std::string>)>) override { return no(); }

 private:
  static kube::OperationPtr no() {
    ADD_FAILURE() << "only patches";
    return nullptr;
  }

  std::string plural_;
};

}  // namespace margay::test
