// Receivers: what becomes of the body of a successful answer, for each kind of call. A receiver owns the caller's
// callbacks and is the only one to run them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "datastore/kube/client.h"

namespace margay::kube {

class Receiver {
 public:
  virtual ~Receiver() = default;
  // The head of a successful answer is there. An attempt before may have left half a body.
  virtual void begin() {}
  // An error ends the call. The caller may abandon the call from inside its callback: then stop() comes, and take()
  // returns soon.
  virtual std::optional<ApiError> take(std::string_view bytes) = 0;
  // The body is complete: nullopt when it was good, and succeed() may follow.
  virtual std::optional<ApiError> finish() = 0;
  // The last word to the caller: one of these, once.
  virtual void succeed() = 0;
  virtual void fail(ApiError error) = 0;
  // Nothing was handed to the caller yet, so that another attempt would not repeat anything.
  [[nodiscard]] virtual bool is_untouched() const { return true; }
  void stop() { is_stopped_ = true; }

 protected:
  [[nodiscard]] bool is_stopped() const { return is_stopped_; }

 private:
  bool is_stopped_ = false;
};

struct BodyLimits {
  std::size_t object_bytes_max = 16 * 1024 * 1024;
  std::size_t text_bytes_max = 64 * 1024 * 1024;  // OpenAPI documents are large
  std::size_t item_bytes_max = 10 * 1024 * 1024;
};

std::unique_ptr<Receiver> make_object_receiver(const BodyLimits& limits, ObjectDone done);
std::unique_ptr<Receiver> make_text_receiver(const BodyLimits& limits, Callback<void(ApiResult<std::string>)> done);
std::unique_ptr<Receiver> make_list_receiver(const BodyLimits& limits, ListEvents events);
std::unique_ptr<Receiver> make_watch_receiver(const BodyLimits& limits, WatchEvents events);

}  // namespace margay::kube
