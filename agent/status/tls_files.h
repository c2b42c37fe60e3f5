// TlsFiles: the TLS settings of a server out of its files, which may be rotated while it runs. One loop.
#pragma once

#include <memory>

#include "agent/status/live_server.h"
#include "base/file/fresh_files.h"
#include "base/loop/stream.h"

namespace margay::status {

class TlsFiles {
 public:
  // The error names the file, or says what is wrong with its content.
  static Result<std::unique_ptr<TlsFiles>> read(const ServerTls& files, telemetry::Logger log, TimePoint now);

  // The last good ones.
  [[nodiscard]] const std::shared_ptr<const loop::TlsServerConfig>& current() const { return current_; }
  // Looks at the files again, if it is time.
  std::shared_ptr<const loop::TlsServerConfig> renew(TimePoint now);

 private:
  TlsFiles(ServerTls files, std::shared_ptr<const loop::TlsServerConfig> current, file::FreshFiles fresh,
           telemetry::Logger log);

  ServerTls files_;
  std::shared_ptr<const loop::TlsServerConfig> current_;
  file::FreshFiles fresh_;
  telemetry::Logger log_;
};

}  // namespace margay::status
