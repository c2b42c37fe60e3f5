#include "base/file/fresh_files.h"

#include <utility>

#include "base/core/check.h"

namespace margay::file {

FreshFiles::FreshFiles(std::vector<std::string> paths, Contents known, Reader reader, Duration max_age, TimePoint now)
    : paths_(std::move(paths)), known_(std::move(known)), reader_(std::move(reader)), max_age_(max_age), read_at_(now) {
  MARGAY_CHECK(paths_.size() == known_.size());
}

std::optional<Result<FreshFiles::Contents>> FreshFiles::poll(TimePoint now) {
  if (now - read_at_ < max_age_) return std::nullopt;
  read_at_ = now;
  Result<Contents> contents = read();
  std::string error = contents.ok() ? std::string() : contents.error().message;
  const bool is_old_error = !contents.ok() && error == last_error_;
  last_error_ = std::move(error);
  if (is_old_error || (contents.ok() && *contents == known_)) return std::nullopt;
  if (contents.ok()) known_ = *contents;
  return contents;
}

Result<FreshFiles::Contents> FreshFiles::read() const {
  Contents contents;
  for (const std::string& path : paths_) {
    contents.emplace_back();
    if (path.empty()) continue;
    MARGAY_ASSIGN_OR_RETURN(contents.back(), reader_(path));
  }
  return contents;
}

}  // namespace margay::file
