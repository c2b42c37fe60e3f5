#include "datastore/watch/object_reader.h"

#include <utility>

namespace margay::watch {
namespace {

// The memory of a larger object is not kept.
constexpr std::size_t kBytesKept = 1024 * 1024;

std::string text(json::View value) { return std::string(value.string().value_or(std::string_view())); }

}  // namespace

Result<ObjectHead> ObjectReader::read(std::string_view json, bool may_be_nameless) {
  if (json.size() > kBytesKept) document_ = json::Document();
  MARGAY_ASSIGN_OR_RETURN(const json::View object, document_.parse(json));
  const json::View metadata = object["metadata"];
  ObjectHead head{.name = {.name_space = text(metadata["namespace"]), .name = text(metadata["name"])},
                  .version = text(metadata["resourceVersion"]),
                  .object = object};
  if (head.name.name.empty() && !may_be_nameless) return invalid("the object has no metadata.name");
  return head;
}

}  // namespace margay::watch
