#include "datastore/kube/make_client.h"

#include <map>
#include <set>
#include <utility>

#include "base/core/text.h"
#include "datastore/kube/call.h"
#include "datastore/kube/path.h"
#include "datastore/kube/tls_source.h"
#include "datastore/kube/warning_header.h"

namespace margay::kube {
namespace {

// So many warnings are remembered; then they may be told again.
constexpr std::size_t kWarningsKnownMax = 1000;

class Handle final : public Operation {
 public:
  explicit Handle(CallContext& context) : context_(context) {}
  ~Handle() override {
    if (call_ == nullptr) return;
    Call& call = *call_;
    call.detach();
    context_.retire(call);
  }
  void hold(Call& call) {
    call_ = &call;
    call.handle = &call_;
  }

 private:
  CallContext& context_;  // there as long as call_ is not null
  Call* call_ = nullptr;
};

class HttpClient final : public Client {
 public:
  HttpClient(loop::Loop& loop, Random& random, const ConnectionConfig& config, ClientOptions options,
             HttpFactory make_http, FileReader files)
      : options_(std::move(options)),
        bucket_(options_.requests_per_second, options_.burst),
        tokens_(config.token, config.token_file, std::move(files)),
        metrics_(options_.metrics),
        servers_(
            loop, random, config.servers, std::move(make_http), [this, &loop] { return headers_of_probe(loop.now()); },
            options_.servers),
        context_{.loop = loop,
                 .random = random,
                 .bucket = bucket_,
                 .tokens = tokens_,
                 .servers = servers_,
                 .metrics = metrics_,
                 .retry = options_.retry,
                 .on_head = [this](const http::ResponseHead& head) { tell_warnings(head.headers); },
                 .retire = [this](Call& call) { retire(call); }} {
    servers_.set_on_failover([this](const ServerUrl& from, const ServerUrl& to) {
      metrics_.on_failover();
      options_.log.warn("API server changed", {{"from", from}, {"to", to}});
    });
  }
  // Handles that are still there become empty.
  ~HttpClient() override {
    while (!calls_.empty()) {
      Call& call = *calls_.begin()->first;
      call.detach();
      retire(call);
    }
  }

  OperationPtr get(const ResourceType& type, const ObjectName& name, ObjectDone done) override {
    CallSpec spec = spec_for("GET", object_path(type, name, ""));
    return start(std::move(spec), make_object_receiver(options_.limits, std::move(done)));
  }

  OperationPtr list(const ResourceType& type, std::string_view name_space, const ListOptions& options,
                    ListEvents events) override {
    CallSpec spec = spec_for("GET", list_target(type, name_space, options));
    spec.deadline.reset();  // a large list takes its time; its silences are bounded
    return start(std::move(spec), make_list_receiver(options_.limits, std::move(events)));
  }

  OperationPtr watch(const ResourceType& type, std::string_view name_space, const WatchOptions& options,
                     WatchEvents events) override {
    CallSpec spec = spec_for("GET", watch_target(type, name_space, options));
    spec.exchange.body_idle_timeout.reset();
    spec.is_watch = true;
    spec.deadline.reset();
    if (options.server_timeout) spec.deadline = *options.server_timeout + options_.watch_grace;
    return start(std::move(spec), make_watch_receiver(options_.limits, std::move(events)));
  }

  OperationPtr create(const ResourceType& type, std::string_view name_space, const json::Value& object,
                      const WriteOptions& options, ObjectDone done) override {
    Result<std::string> path = collection_path(type, name_space);
    if (type.is_namespaced && name_space.empty()) path = invalid(concat(type.kind, " needs a namespace"));
    return write("POST", std::move(path), options, {"application/json", json::dump(object)}, std::move(done));
  }

  OperationPtr update(const ResourceType& type, const ObjectName& name, const json::Value& object,
                      const WriteOptions& options, ObjectDone done) override {
    return write("PUT", object_path(type, name, ""), options, {"application/json", json::dump(object)},
                 std::move(done));
  }

  OperationPtr update_status(const ResourceType& type, const ObjectName& name, const json::Value& object,
                             const WriteOptions& options, ObjectDone done) override {
    return write("PUT", object_path(type, name, "status"), options, {"application/json", json::dump(object)},
                 std::move(done));
  }

  OperationPtr patch(const ResourceType& type, const ObjectName& name, std::string_view subresource,
                     PatchType patch_type, std::string body, const WriteOptions& options, ObjectDone done) override {
    return write("PATCH", object_path(type, name, subresource), options,
                 {std::string(content_type(patch_type)), std::move(body)}, std::move(done));
  }

  OperationPtr remove(const ResourceType& type, const ObjectName& name, const DeleteOptions& options,
                      ObjectDone done) override {
    std::string body = delete_body(options);
    return write("DELETE", object_path(type, name, ""), {}, {body.empty() ? "" : "application/json", std::move(body)},
                 std::move(done));
  }

  OperationPtr get_path(std::string_view path, Callback<void(ApiResult<std::string>)> done) override {
    Result<std::string> target = std::string(path);
    if (!path.starts_with('/')) target = invalid(concat("the path ", quoted(path), " does not begin with '/'"));
    return start(spec_for("GET", std::move(target)), make_text_receiver(options_.limits, std::move(done)));
  }

 private:
  struct Body {
    std::string type;
    std::string bytes;
  };

  OperationPtr write(std::string method, Result<std::string> path, const WriteOptions& options, Body body,
                     ObjectDone done) {
    if (path.ok()) path = write_target(std::move(path).value(), options);
    CallSpec spec = spec_for(std::move(method), std::move(path));
    spec.is_write = true;
    if (!body.type.empty()) spec.request.headers.set("Content-Type", std::move(body.type));
    spec.request.body = std::move(body.bytes);
    return start(std::move(spec), make_object_receiver(options_.limits, std::move(done)));
  }

  CallSpec spec_for(std::string method, Result<std::string> target) const {
    CallSpec spec;
    spec.exchange = {.head_timeout = options_.answer_timeout, .body_idle_timeout = options_.answer_timeout};
    spec.deadline = options_.call_timeout;
    spec.request.method = std::move(method);
    spec.request.headers = common_headers();
    if (target.ok()) {
      spec.request.target = std::move(target).value();
    } else {
      spec.early_failure = std::move(target).error();
    }
    return spec;
  }

  http::Headers common_headers() const {
    http::Headers headers;
    headers.set("Accept", "application/json");
    headers.set("User-Agent", options_.user_agent);
    return headers;
  }

  http::Headers headers_of_probe(TimePoint now) {
    http::Headers headers = common_headers();
    headers.set("Accept", "*/*");
    if (const std::string& token = tokens_.current(now); !token.empty()) {
      headers.set("Authorization", concat("Bearer ", token));
    }
    return headers;
  }

  OperationPtr start(CallSpec spec, std::unique_ptr<Receiver> receiver) {
    auto handle = std::make_unique<Handle>(context_);
    auto owned = std::make_unique<Call>(context_, std::move(spec), std::move(receiver));
    handle->hold(*owned);
    calls_.emplace(owned.get(), std::move(owned));
    return handle;
  }

  void tell_warnings(const http::Headers& headers) {
    for (std::string& text : server_warnings(headers)) {
      if (warnings_known_.size() >= kWarningsKnownMax) warnings_known_.clear();
      const auto [known, is_new] = warnings_known_.insert(std::move(text));
      if (!is_new) continue;
      if (options_.on_warning) {
        options_.on_warning(*known);
      } else {
        options_.log.warn("the API server warns", {{"warning", *known}});
      }
    }
  }

  // Its callbacks may be on the stack.
  void retire(Call& call) {
    auto node = calls_.extract(&call);
    if (!node.empty()) context_.loop.post([body = std::move(node.mapped())] {});
  }

  ClientOptions options_;
  TokenBucket bucket_;
  TokenSource tokens_;
  RequestMetrics metrics_;
  ServerPool servers_;
  std::set<std::string, std::less<>> warnings_known_;
  CallContext context_;
  std::map<Call*, std::unique_ptr<Call>> calls_;
};

}  // namespace

std::unique_ptr<Client> make_client(loop::Loop& loop, Random& random, const ConnectionConfig& config,
                                    const ClientOptions& options, HttpFactory make_http, FileReader files) {
  return std::make_unique<HttpClient>(loop, random, config, options, std::move(make_http), std::move(files));
}

HttpFactory make_http_factory(loop::Loop& loop, loop::Network& network, const ConnectionConfig& config,
                              const ClientOptions& options) {
  auto source = std::make_shared<TlsSource>(config.tls, config.tls_files, read_file, options.log, loop.now());
  return [&loop, &network, source, connections_max = options.connections_max](const ServerUrl& url) {
    http::ClientConfig http{.endpoint = url.endpoint, .tls = {}, .host_header = url.host_header};
    if (url.uses_tls) http.renewed_tls = [&loop, source] { return source->current(loop.now()); };
    http.connections_max = connections_max;
    return http::make_client(loop, network, std::move(http));
  };
}

std::unique_ptr<Client> make_client(loop::Loop& loop, loop::Network& network, Random& random,
                                    const ConnectionConfig& config, const ClientOptions& options) {
  return make_client(loop, random, config, options, make_http_factory(loop, network, config, options), read_file);
}

}  // namespace margay::kube
