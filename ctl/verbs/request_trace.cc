#include "ctl/verbs/request_trace.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "base/json/value.h"
#include "ctl/verbs/three_way.h"

namespace margay::verbs {
namespace {

constexpr std::string_view kHidden = "***";
constexpr std::size_t kLineShownMax = std::size_t{8} * 1024;
constexpr std::size_t kLineKeptMax = std::size_t{1024} * 1024;

// "Bearer ***"
std::string shown_header(const std::string& name, const std::string& value) {
  const auto is = [&](std::string_view other) { return equals_ignoring_case(name, other); };
  if (!is("authorization") && !is("proxy-authorization") && !is("cookie") && !is("set-cookie")) return value;
  const auto parts = split_once(value, ' ');
  return parts && is("authorization") ? concat(parts->first, ' ', kHidden) : std::string(kHidden);
}

bool is_about_secrets(std::string_view target) {
  const std::vector<std::string_view> steps = split(target.substr(0, target.find('?')), '/');
  return std::find(steps.begin(), steps.end(), "secrets") != steps.end();
}

void hide_members(json::Value* value) {
  if (value == nullptr || value->as_object() == nullptr) return;
  for (json::Member& member : *value->as_object()) member.value = kHidden;
}

// Of an object, a list of them, an event of a watch, or a patch: all have these members somewhere.
void hide_secrets(json::Value& value) {
  if (json::Array* elements = value.as_array()) {
    for (json::Value& element : *elements) hide_secrets(element);
  }
  if (value.as_object() == nullptr) return;
  for (const char* name : {"data", "stringData"}) hide_members(value.find(name));
  if (json::Value* annotation = value.find({"metadata", "annotations", kLastAppliedAnnotation})) *annotation = kHidden;
  if (value.find("op") != nullptr && value.find("value") != nullptr) value["value"] = kHidden;
  for (const char* name : {"items", "object"}) {
    if (json::Value* inner = value.find(name)) hide_secrets(*inner);
  }
}

// A body as it comes, cut into lines: an answer is one, an event of a watch too.
class BodyLines {
 public:
  BodyLines(bool hides_secrets, std::function<void(std::string_view)> out)
      : hides_secrets_(hides_secrets), out_(std::move(out)) {}

  void take(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      const std::string_view piece = bytes.substr(0, end);
      line_.append(piece.substr(0, kLineKeptMax - line_.size()));
      size_ += piece.size();
      if (end == std::string_view::npos) return;
      finish();
      bytes.remove_prefix(end + 1);
    }
  }

  void finish() {
    if (size_ > 0) out_(shown());
    line_.clear();
    size_ = 0;
  }

 private:
  std::string shown() const {
    std::string text = line_;
    if (hides_secrets_) {
      const bool is_whole = size_ == line_.size();
      auto value = is_whole ? json::parse(line_) : Result<json::Value>(invalid("cut"));
      if (!value.ok()) return concat('(', size_, " bytes of Secrets, not shown)");
      hide_secrets(*value);
      text = json::dump(*value);
    }
    if (text.size() <= kLineShownMax) return text;
    return concat(text.substr(0, kLineShownMax), " … (", size_, " bytes)");
  }

  bool hides_secrets_;
  std::function<void(std::string_view)> out_;
  std::string line_;      // at most kLineKeptMax of it
  std::size_t size_ = 0;  // all of it
};

// What is told of one exchange. Its exchange may be gone before it, and the other way round: the callbacks share it.
class Trace {
 public:
  Trace(const http::Request& request, loop::Loop& loop, const TraceOptions& options)
      : loop_(loop),
        options_(options),
        line_(concat(request.method, ' ', options.server, request.target)),
        started_(loop.now()),
        body_(is_about_secrets(request.target), [this](std::string_view line) { put("< ", line); }) {
    if (options_.level != TraceLevel::kBodies) return;
    put("> ", concat(request.method, ' ', request.target));
    put_headers("> ", request.headers);
    BodyLines sent(is_about_secrets(request.target), [this](std::string_view line) { put("> ", line); });
    sent.take(request.body);
    sent.finish();
  }
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  void on_head(const http::ResponseHead& head) {
    has_head_ = true;
    put("", concat(line_, ": ", head.status, ' ', http::reason_phrase(head.status), took()));
    if (options_.level == TraceLevel::kBodies) put_headers("< ", head.headers);
  }
  void on_body(std::string_view bytes) {
    if (options_.level == TraceLevel::kBodies) body_.take(bytes);
  }
  void on_done(const Status& outcome) {
    body_.finish();
    if (outcome.ok()) return;
    put("", has_head_ ? concat(line_, ": cut short: ", outcome.error().message)
                      : concat(line_, ": ", outcome.error().message, took()));
  }

 private:
  void put(std::string_view mark, std::string_view line) const { options_.out(concat(mark, line)); }
  void put_headers(std::string_view mark, const http::Headers& headers) const {
    for (const auto& [name, value] : headers) put(mark, concat(name, ": ", shown_header(name, value)));
  }
  std::string took() const {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(loop_.now() - started_).count();
    return concat(" in ", ms, " ms");
  }

  loop::Loop& loop_;
  const TraceOptions& options_;
  std::string line_;
  TimePoint started_;
  BodyLines body_;
  bool has_head_ = false;
};

class TracedClient final : public http::Client {
 public:
  TracedClient(std::unique_ptr<http::Client> inner, loop::Loop& loop, TraceOptions options)
      : loop_(loop), options_(std::move(options)), inner_(std::move(inner)) {}

  std::unique_ptr<http::Exchange> start(http::Request request, http::ExchangeOptions options,
                                        http::ExchangeEvents events) override {
    const auto trace = std::make_shared<Trace>(request, loop_, options_);
    http::ExchangeEvents traced;
    traced.on_head = [trace, then = std::move(events.on_head)](http::ResponseHead head) mutable {
      trace->on_head(head);
      then(std::move(head));
    };
    traced.on_body = [trace, then = std::move(events.on_body)](std::string_view bytes) mutable {
      trace->on_body(bytes);
      then(bytes);
    };
    traced.on_done = [trace, then = std::move(events.on_done)](Status outcome) mutable {
      trace->on_done(outcome);
      then(std::move(outcome));
    };
    return inner_->start(std::move(request), options, std::move(traced));
  }

 private:
  loop::Loop& loop_;
  TraceOptions options_;  // before the client whose exchanges refer to it
  std::unique_ptr<http::Client> inner_;
};

}  // namespace

std::unique_ptr<http::Client> traced(std::unique_ptr<http::Client> inner, loop::Loop& loop, TraceOptions options) {
  return std::make_unique<TracedClient>(std::move(inner), loop, std::move(options));
}

}  // namespace margay::verbs
