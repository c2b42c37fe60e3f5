#include "ctl/node/host.h"

#include <glob.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "base/core/text.h"
#include "base/file/file.h"
#include "base/http/client.h"
#include "base/loop/asio_loop.h"
#include "base/loop/plain_network.h"

namespace margay::node {
namespace {

class MachineHost final : public Host {
 public:
  Result<Answer> get(const std::string& socket, const std::string& target, Duration limit) override {
    loop::AsioLoop loop;
    loop::PlainNetwork network(loop);
    http::ClientConfig config;
    config.endpoint.kind = loop::Endpoint::Kind::kUnix;
    config.endpoint.path = socket;
    const auto client = http::make_client(loop, network, std::move(config));
    http::Request request;
    request.target = target;
    Answer answer;
    std::optional<Status> outcome;
    const auto exchange = client->start(std::move(request), {},
                                        {[&](const http::ResponseHead& head) { answer.status = head.status; },
                                         [&](std::string_view bytes) { answer.body.append(bytes); },
                                         [&](Status status) { outcome = std::move(status); }});
    loop.run_until([&] { return outcome.has_value(); }, limit);
    if (!outcome) return Error{ErrorCode::kTimeout, concat(socket, ": no answer in time")};
    if (!outcome->ok()) return outcome->error().within(socket);
    return answer;
  }
  exec::Runner& programs() override { return runner_; }
  [[nodiscard]] bool has_file(const std::string& path) const override { return access(path.c_str(), F_OK) == 0; }
  Result<std::string> read_file(const std::string& path) override { return file::read_file(path); }
  Status write_file(const std::string& path, std::string_view content) override {
    // Only for its owner: what is written is about a whole cluster.
    return file::write_file_atomically(path, content, 0600);
  }
  std::vector<std::string> files(const std::string& pattern) override {
    std::vector<std::string> out;
    glob_t found{};
    if (glob(pattern.c_str(), 0, nullptr, &found) == 0) out.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    globfree(&found);
    return out;
  }
  std::vector<CheckResult> check_system() override { return node::check_system(runner_); }

 private:
  exec::ProcessRunner runner_;
};

}  // namespace

std::unique_ptr<Host> machine_host() { return std::make_unique<MachineHost>(); }

Result<json::Value> ask(Host& host, const std::string& socket, const std::string& target, Duration limit) {
  MARGAY_ASSIGN_OR_RETURN(const Answer answer, host.get(socket, target, limit));
  auto body = json::parse(answer.body, {.bytes_max = std::size_t{1} << 30U});
  if (answer.status == 200) {
    if (!body.ok()) return body.error().within(concat(socket, target));
    return std::move(body).value();
  }
  const std::string said = body.ok() ? std::string(body->string_at({"error"})) : std::string();
  return Error{answer.status == 404 ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
               said.empty() ? concat(socket, target, ": HTTP status ", answer.status) : said};
}

}  // namespace margay::node
