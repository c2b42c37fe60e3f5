#include "datastore/kube/token_source.h"

#include "base/core/text.h"

namespace margay::kube {
namespace {

constexpr std::size_t kTokenBytesMax = 64 * 1024;

// A token goes into a header line: nothing but printable ASCII may be in it.
Status check_token(std::string_view token) {
  if (token.empty()) return invalid("is empty");
  if (token.size() > kTokenBytesMax) return invalid(concat("has more than ", kTokenBytesMax, " bytes"));
  for (const char c : token) {
    if (c <= ' ' || c > '~') return invalid("has a character that cannot be part of a token");
  }
  return ok_status();
}

}  // namespace

void TokenSource::read(TimePoint now) {
  read_at_ = now;
  error_.reset();
  auto content = files_(file_);
  if (!content.ok()) {
    error_ = std::move(content).error();
    return;
  }
  const std::string_view token = trim(*content);
  if (auto status = check_token(token); !status.ok()) {
    error_ = std::move(status).error().within(file_);
    return;
  }
  token_ = token;
}

}  // namespace margay::kube
