// TokenSource: the bearer token of each request, from a constant or from a file that is rotated under us.
//
// A file is read again when the last reading is 10 s old (projected service account tokens change about hourly, well
// before they expire), and at once when the server has refused the token. While it cannot be read, the last token stays
// in use. Time is an argument; reading goes through FileReader.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/core/time.h"
#include "datastore/kube/config.h"

namespace margay::kube {

class TokenSource {
 public:
  static constexpr Duration kMaxAge = std::chrono::seconds(10);

  // `fixed` is used when there is no file, or until it can be read.
  TokenSource(std::string fixed, std::string file, FileReader files)
      : token_(std::move(fixed)), file_(std::move(file)), files_(std::move(files)) {}

  // "" when there is none.
  const std::string& current(TimePoint now) {
    if (!file_.empty() && (!read_at_ || now - *read_at_ >= kMaxAge)) read(now);
    return token_;
  }

  // After a 401 to a request that carried `refused`: true when there is another token now, with which to ask again.
  bool refresh(const std::string& refused, TimePoint now) {
    if (!file_.empty()) read(now);
    return token_ != refused;
  }

  // Why the last reading failed; nullopt when it did not.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  void read(TimePoint now);

  std::string token_;
  std::string file_;
  FileReader files_;
  std::optional<TimePoint> read_at_;
  std::optional<Error> error_;
};

}  // namespace margay::kube
