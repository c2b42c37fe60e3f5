// Certificates: the server's TLS settings out of its files, which may be rotated while it runs.
//
// The files are read again at a connection when the last reading is a second old. What cannot be read or used leaves
// the last good ones in use, with a warning; connections that are open keep theirs.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/core/result.h"
#include "base/core/time.h"
#include "base/file/fresh_files.h"
#include "base/loop/stream.h"
#include "base/telemetry/log.h"

namespace margay::apiserver {

struct CertificateFiles {
  std::string certificate;  // chain, leaf first
  std::string key;
  std::string client_ca;  // "": clients are not asked for certificates
};

class Certificates {
 public:
  static constexpr Duration kMaxAge = std::chrono::seconds(1);

  // The error names the file, or says what is wrong with the settings.
  static Result<std::unique_ptr<Certificates>> read(const CertificateFiles& files, telemetry::Logger log,
                                                    TimePoint now);

  // As last read.
  [[nodiscard]] const std::shared_ptr<const loop::TlsServerConfig>& settings() const { return settings_; }
  // Looks at the files again, if it is time.
  const std::shared_ptr<const loop::TlsServerConfig>& renew(TimePoint now);
  // Runs after settings() has changed.
  void set_on_changed(std::function<void()> task) { on_changed_ = std::move(task); }

 private:
  Certificates(std::shared_ptr<const loop::TlsServerConfig> settings, file::FreshFiles files, telemetry::Logger log)
      : settings_(std::move(settings)), files_(std::move(files)), log_(std::move(log)) {}

  std::shared_ptr<const loop::TlsServerConfig> settings_;
  file::FreshFiles files_;
  telemetry::Logger log_;
  std::function<void()> on_changed_;
};

}  // namespace margay::apiserver
