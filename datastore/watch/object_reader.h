// ObjectReader: from the bytes of an object to its name, version and a view of the rest. Its buffers are used again.
#pragma once

#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/json/view.h"
#include "datastore/kube/client.h"

namespace margay::watch {

struct ObjectHead {
  kube::ObjectName name;
  std::string version;  // metadata.resourceVersion; "" when there is none
  json::View object;    // valid until the next read()
};

class ObjectReader {
 public:
  // Fails for what is no JSON object, or has no metadata.name unless `may_be_nameless` (bookmarks have none).
  Result<ObjectHead> read(std::string_view json, bool may_be_nameless = false);

 private:
  json::Document document_;
};

}  // namespace margay::watch
