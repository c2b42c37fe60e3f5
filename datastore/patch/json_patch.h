// JSON patch (RFC 6902): a list of operations add, remove, replace, move, copy and test, done in order, all or none.
//
// Pure. The document is unchanged when anything fails. What a patch can cost is bounded, because it comes from clients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/core/result.h"
#include "base/json/value.h"

namespace margay::patch {

struct JsonPatchLimits {
  std::size_t operations_max = 10'000;             // as kube-apiserver
  std::size_t copied_bytes_max = 3 * 1024 * 1024;  // what all "copy" operations together may add, about
  std::size_t depth_max = 100;                     // of the document that results
  std::uint64_t work_max = 20'000'000;             // elements and members walked over or moved
};

struct JsonPatchError {
  enum class Kind {
    kMalformed,      // this is no JSON patch, whatever the document
    kNotApplicable,  // the document has no such place
    kTestFailed,
    kLimitExceeded,
  };
  Kind kind = Kind::kMalformed;
  std::optional<std::size_t> operation;  // its index; nullopt: the patch as a whole
  std::string path;                      // the pointer as it was written
  std::string message;                   // complete: names operation and path
};

Result<json::Value, JsonPatchError> apply_json_patch(json::Value document, const json::Value& patch,
                                                     const JsonPatchLimits& limits = {});

}  // namespace margay::patch
