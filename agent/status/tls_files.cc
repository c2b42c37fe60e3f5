#include "agent/status/tls_files.h"

#include <utility>

#include "base/file/file.h"

namespace margay::status {
namespace {

constexpr Duration kMaxAge = std::chrono::seconds(1);
constexpr std::size_t kTlsFileMax = 1024 * 1024;

using Config = std::shared_ptr<const loop::TlsServerConfig>;

Result<std::string> read_small_file(const std::string& path) { return file::read_file(path, kTlsFileMax); }

// An empty file of authorities would let everybody in.
Result<Config> config_of(const ServerTls& files, const file::FreshFiles::Contents& contents) {
  auto config = std::make_shared<loop::TlsServerConfig>();
  config->certificate_pem = contents[0];
  config->key_pem = contents[1];
  config->client_ca_pem = contents[2];
  config->is_client_certificate_optional = files.is_client_certificate_optional;
  if (files.asks_clients && contents[2].empty()) {
    return invalid("clients are to show certificates, and there is no authority to check them with");
  }
  MARGAY_RETURN_IF_ERROR(loop::check_tls(*config));
  return Config(std::move(config));
}

}  // namespace

TlsFiles::TlsFiles(ServerTls files, Config current, file::FreshFiles fresh, telemetry::Logger log)
    : files_(std::move(files)), current_(std::move(current)), fresh_(std::move(fresh)), log_(std::move(log)) {}

Result<std::unique_ptr<TlsFiles>> TlsFiles::read(const ServerTls& files, telemetry::Logger log, TimePoint now) {
  std::vector<std::string> paths = {files.certificate_file, files.key_file, files.client_ca_file};
  file::FreshFiles::Contents contents;
  for (const std::string& path : paths) {
    contents.emplace_back();
    if (path.empty()) continue;
    MARGAY_ASSIGN_OR_RETURN(contents.back(), read_small_file(path));
  }
  MARGAY_ASSIGN_OR_RETURN(Config config, config_of(files, contents));
  file::FreshFiles fresh(std::move(paths), std::move(contents), read_small_file, kMaxAge, now);
  return std::unique_ptr<TlsFiles>(new TlsFiles(files, std::move(config), std::move(fresh), std::move(log)));
}

Config TlsFiles::renew(TimePoint now) {
  const auto news = fresh_.poll(now);
  if (!news) return current_;
  auto next = news->ok() ? config_of(files_, news->value()) : Result<Config>(news->error());
  if (next.ok()) {
    current_ = std::move(next).value();
  } else {
    log_.warn("changed TLS files cannot be used; the last ones stay in use", {{"error", next.error()}});
  }
  return current_;
}

}  // namespace margay::status
