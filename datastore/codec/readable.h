// Objects as far as they can be read, for those who must not take what they cannot read for absent: a policy that is
// absent denies nothing (D-110).
#pragma once

#include <algorithm>
#include <utility>

#include "datastore/codec/codec.h"

namespace margay::codec {

// A policy, as the decoder of a watch: there is nothing that it refuses. What of its spec could not be read is in
// spec.unread; nothing else of it matters to what it does.
template <class Policy>
FieldErrors decode_readable(json::View object, Policy& out) {
  FieldErrors errors = decode(object, out);
  std::erase_if(errors, [](const FieldError& error) { return !error.path.starts_with("spec"); });
  out.spec.unread = std::move(errors);
  return {};
}

}  // namespace margay::codec
