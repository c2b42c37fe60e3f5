#include "datastore/kube/tls_source.h"

#include <string>
#include <utility>

namespace margay::kube {
namespace {

std::string known(const std::string& file, const std::string& pem) { return file.empty() ? std::string() : pem; }

}  // namespace

TlsSource::TlsSource(loop::TlsClientConfig tls, const TlsFiles& names, const FileReader& files, telemetry::Logger log,
                     TimePoint now)
    : tls_(std::make_shared<loop::TlsClientConfig>(std::move(tls))),
      names_(names),
      files_({names.ca, names.certificate, names.key},
             {known(names.ca, tls_->ca_pem), known(names.certificate, tls_->certificate_pem),
              known(names.key, tls_->key_pem)},
             files, kMaxAge, now),
      log_(std::move(log)) {}

std::shared_ptr<const loop::TlsClientConfig> TlsSource::current(TimePoint now) {
  if (const auto news = files_.poll(now)) {
    if (news->ok()) {
      take(news->value());
    } else {
      log_.warn("TLS files cannot be read; the last ones stay in use", {{"error", news->error()}});
    }
  }
  return tls_;
}

void TlsSource::take(const file::FreshFiles::Contents& contents) {
  loop::TlsClientConfig next = *tls_;
  if (!names_.ca.empty()) next.ca_pem = contents[0];
  if (!names_.certificate.empty()) next.certificate_pem = contents[1];
  if (!names_.key.empty()) next.key_pem = contents[2];
  // An empty file would mean the system's authorities.
  const bool has_lost_ca = !names_.ca.empty() && next.ca_pem.empty();
  const Status usable =
      has_lost_ca ? Status(invalid("the file of the certificate authority is empty")) : check_tls(next);
  if (!usable.ok()) {
    return log_.warn("changed TLS files cannot be used; the last ones stay in use", {{"error", usable.error()}});
  }
  tls_ = std::make_shared<loop::TlsClientConfig>(std::move(next));
  log_.info("TLS files read again", {{"ca", names_.ca}, {"certificate", names_.certificate}, {"key", names_.key}});
}

}  // namespace margay::kube
