#include "datastore/apiserver/certificates.h"

#include <utility>
#include <vector>

#include "base/core/text.h"
#include "base/file/file.h"

namespace margay::apiserver {
namespace {

using Settings = std::shared_ptr<const loop::TlsServerConfig>;

Result<std::string> read_small_file(const std::string& path) { return file::read_file(path, 1024 * 1024); }

// An empty file of authorities would let everybody pass for nobody, silently.
Result<Settings> settings_of(const file::FreshFiles::Contents& contents, bool has_client_ca) {
  auto settings = std::make_shared<loop::TlsServerConfig>();
  settings->certificate_pem = contents[0];
  settings->key_pem = contents[1];
  settings->client_ca_pem = contents[2];
  settings->is_client_certificate_optional = true;
  if (has_client_ca && contents[2].empty()) return invalid("the file of the clients' authorities is empty");
  MARGAY_RETURN_IF_ERROR(check_tls(*settings));
  return Settings(std::move(settings));
}

std::string names_of(const CertificateFiles& files) {
  return concat("--tls-cert ", files.certificate, " --tls-key ", files.key,
                files.client_ca.empty() ? "" : concat(" --client-ca-file ", files.client_ca));
}

}  // namespace

Result<std::unique_ptr<Certificates>> Certificates::read(const CertificateFiles& files, telemetry::Logger log,
                                                         TimePoint now) {
  std::vector<std::string> paths = {files.certificate, files.key, files.client_ca};
  file::FreshFiles::Contents contents;
  for (const std::string& path : paths) {
    contents.emplace_back();
    if (path.empty()) continue;
    MARGAY_ASSIGN_OR_RETURN(contents.back(), read_small_file(path));
  }
  auto usable = settings_of(contents, !files.client_ca.empty());
  if (!usable.ok()) return usable.error().within(names_of(files));
  Settings settings = std::move(usable).value();
  file::FreshFiles fresh(std::move(paths), std::move(contents), read_small_file, kMaxAge, now);
  return std::unique_ptr<Certificates>(new Certificates(std::move(settings), std::move(fresh), std::move(log)));
}

const Settings& Certificates::renew(TimePoint now) {
  const auto news = files_.poll(now);
  if (!news) return settings_;
  if (!news->ok()) {
    log_.warn("TLS files cannot be read; the last ones stay in use", {{"error", news->error()}});
    return settings_;
  }
  auto next = settings_of(news->value(), !settings_->client_ca_pem.empty());
  if (!next.ok()) {
    log_.warn("changed TLS files cannot be used; the last ones stay in use", {{"error", next.error()}});
    return settings_;
  }
  settings_ = std::move(next).value();
  log_.info("TLS files read again");
  if (on_changed_) on_changed_();
  return settings_;
}

}  // namespace margay::apiserver
