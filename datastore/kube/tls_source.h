// TlsSource: the TLS settings of each new connection, from files that are rotated under us (cert-manager, kubelet).
//
// The files are read again before a connection when the last reading is a second old. What cannot be read or used (half
// of a new pair, no PEM text) leaves the last good settings in use, with a warning. Open connections keep theirs.
#pragma once

#include <memory>

#include "base/core/time.h"
#include "base/file/fresh_files.h"
#include "base/telemetry/log.h"
#include "datastore/kube/config.h"

namespace margay::kube {

class TlsSource {
 public:
  static constexpr Duration kMaxAge = std::chrono::seconds(1);

  // `tls` holds what the files held at `now`.
  TlsSource(loop::TlsClientConfig tls, const TlsFiles& names, const FileReader& files, telemetry::Logger log,
            TimePoint now);

  // Never null.
  std::shared_ptr<const loop::TlsClientConfig> current(TimePoint now);

 private:
  void take(const file::FreshFiles::Contents& contents);

  std::shared_ptr<const loop::TlsClientConfig> tls_;
  TlsFiles names_;
  file::FreshFiles files_;
  telemetry::Logger log_;
};

}  // namespace margay::kube
