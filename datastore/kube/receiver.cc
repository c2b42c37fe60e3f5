#include "datastore/kube/receiver.h"

#include <utility>

#include "base/core/text.h"
#include "datastore/kube/api_error.h"
#include "datastore/kube/list_splitter.h"
#include "datastore/kube/watch_splitter.h"

namespace margay::kube {
namespace {

// The whole body, up to a limit.
class TextReceiver : public Receiver {
 public:
  TextReceiver(std::size_t bytes_max, Callback<void(ApiResult<std::string>)> done)
      : bytes_max_(bytes_max), done_(std::move(done)) {}

  void begin() override { body_.clear(); }
  std::optional<ApiError> take(std::string_view bytes) override {
    if (body_.size() + bytes.size() > bytes_max_) {
      return api_error(Error{ErrorCode::kLimitExceeded, concat("the answer has more than ", bytes_max_, " bytes")});
    }
    body_.append(bytes);
    return std::nullopt;
  }
  std::optional<ApiError> finish() override { return std::nullopt; }
  void succeed() override { done_(std::move(body_)); }
  void fail(ApiError error) override { done_(std::move(error)); }

 protected:
  [[nodiscard]] const std::string& body() const { return body_; }

 private:
  std::size_t bytes_max_;
  std::string body_;
  Callback<void(ApiResult<std::string>)> done_;
};

class ObjectReceiver final : public TextReceiver {
 public:
  ObjectReceiver(std::size_t bytes_max, ObjectDone done) : TextReceiver(bytes_max, {}), done_(std::move(done)) {}

  std::optional<ApiError> finish() override {
    auto object = json::parse(body());
    if (!object.ok()) return api_error(std::move(object).error().within("the server's answer"));
    if (object->as_object() == nullptr) {
      return api_error(
          invalid(concat("the server's answer: expected an object, found ", json::to_string(object->type()))));
    }
    object_ = std::move(object).value();
    return std::nullopt;
  }
  void succeed() override { done_(std::move(object_)); }
  void fail(ApiError error) override { done_(std::move(error)); }

 private:
  json::Value object_;
  ObjectDone done_;
};

ListMeta list_meta(const json::Value& envelope) {
  ListMeta meta;
  meta.resource_version = envelope.string_at({"metadata", "resourceVersion"});
  meta.continue_token = envelope.string_at({"metadata", "continue"});
  if (const json::Value* remaining = envelope.find({"metadata", "remainingItemCount"})) {
    if (const std::int64_t* count = remaining->as_integer()) meta.remaining_item_count = *count;
  }
  return meta;
}

class ListReceiver final : public Receiver {
 public:
  ListReceiver(std::size_t item_bytes_max, ListEvents events)
      : limits_{.item_bytes_max = item_bytes_max}, splitter_(limits_), events_(std::move(events)) {}

  void begin() override { splitter_ = ListSplitter(limits_); }
  std::optional<ApiError> take(std::string_view bytes) override {
    splitter_.feed(bytes);
    while (!is_stopped()) {
      switch (splitter_.next()) {
        case ListSplitter::Step::kNeedBytes: return std::nullopt;
        case ListSplitter::Step::kError: return api_error(splitter_.error());
        case ListSplitter::Step::kItem: break;
      }
      is_untouched_ = false;
      events_.on_item(splitter_.item());
    }
    return std::nullopt;
  }
  std::optional<ApiError> finish() override {
    auto envelope = splitter_.finish();
    if (!envelope.ok()) return api_error(std::move(envelope).error());
    meta_ = list_meta(*envelope);
    return std::nullopt;
  }
  void succeed() override { events_.on_done(std::move(meta_)); }
  void fail(ApiError error) override { events_.on_done(std::move(error)); }
  [[nodiscard]] bool is_untouched() const override { return is_untouched_; }

 private:
  SplitLimits limits_;
  ListSplitter splitter_;
  ListEvents events_;
  ListMeta meta_;
  bool is_untouched_ = true;
};

std::optional<WatchEvent::Kind> kind_of(std::string_view type) {
  if (type == "ADDED") return WatchEvent::Kind::kAdded;
  if (type == "MODIFIED") return WatchEvent::Kind::kModified;
  if (type == "DELETED") return WatchEvent::Kind::kDeleted;
  if (type == "BOOKMARK") return WatchEvent::Kind::kBookmark;
  return std::nullopt;
}

class WatchReceiver final : public Receiver {
 public:
  WatchReceiver(std::size_t event_bytes_max, WatchEvents events)
      : splitter_(event_bytes_max), events_(std::move(events)) {}

  void begin() override {
    if (events_.on_open) events_.on_open();
  }
  std::optional<ApiError> take(std::string_view bytes) override {
    splitter_.feed(bytes);
    while (!is_stopped()) {
      switch (splitter_.next()) {
        case WatchSplitter::Step::kNeedBytes: return std::nullopt;
        case WatchSplitter::Step::kError: return api_error(splitter_.error());
        case WatchSplitter::Step::kEvent: break;
      }
      if (auto error = hand_over(splitter_.event())) return error;
    }
    return std::nullopt;
  }
  std::optional<ApiError> finish() override {
    auto status = splitter_.finish();
    if (!status.ok()) return api_error(std::move(status).error());
    return std::nullopt;
  }
  void succeed() override { events_.on_done(std::monostate{}); }
  void fail(ApiError error) override { events_.on_done(std::move(error)); }

 private:
  std::optional<ApiError> hand_over(const WatchFrame& frame) {
    if (const auto kind = kind_of(frame.type)) {
      events_.on_event({.kind = *kind, .object_json = frame.object});
      return std::nullopt;
    }
    if (frame.type != "ERROR")
      return api_error(invalid(concat("watch answer: unknown event type ", quoted(frame.type))));
    auto status = json::parse(frame.object);
    if (!status.ok()) return api_error(std::move(status).error().within("watch answer, ERROR event"));
    return error_of_status(*status);
  }

  WatchSplitter splitter_;
  WatchEvents events_;
};

}  // namespace

std::unique_ptr<Receiver> make_object_receiver(const BodyLimits& limits, ObjectDone done) {
  return std::make_unique<ObjectReceiver>(limits.object_bytes_max, std::move(done));
}
std::unique_ptr<Receiver> make_text_receiver(const BodyLimits& limits, Callback<void(ApiResult<std::string>)> done) {
  return std::make_unique<TextReceiver>(limits.text_bytes_max, std::move(done));
}
std::unique_ptr<Receiver> make_list_receiver(const BodyLimits& limits, ListEvents events) {
  return std::make_unique<ListReceiver>(limits.item_bytes_max, std::move(events));
}
std::unique_ptr<Receiver> make_watch_receiver(const BodyLimits& limits, WatchEvents events) {
  return std::make_unique<WatchReceiver>(limits.item_bytes_max, std::move(events));
}

}  // namespace margay::kube
