#include "datastore/apiserver/crd_dir.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "base/core/text.h"
#include "base/file/file.h"
#include "base/json/yaml.h"

namespace margay::apiserver {
namespace {

Result<std::vector<std::string>> definition_files(const std::string& folder) {
  std::error_code failure;
  std::vector<std::string> paths;
  for (std::filesystem::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) {
    const std::string extension = it->path().extension().string();
    if (extension == ".yaml" || extension == ".yml" || extension == ".json") paths.push_back(it->path().string());
  }
  if (failure) return invalid(concat("folder ", folder, ": ", failure.message()));
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

Result<std::size_t> load_crd_dir(const std::string& folder, schema::Registry& registry) {
  MARGAY_ASSIGN_OR_RETURN(const std::vector<std::string> paths, definition_files(folder));
  std::size_t count = 0;
  for (const std::string& path : paths) {
    MARGAY_ASSIGN_OR_RETURN(const std::string text, file::read_file(path));
    const auto documents = json::parse_yaml(text);
    if (!documents) return documents.error().within(path);
    for (const json::YamlDocument& document : documents.value()) {
      if (document.value.string_at({"kind"}) != "CustomResourceDefinition")
        return invalid(
            concat(path, ": expected a CustomResourceDefinition, found ", quoted(document.value.string_at({"kind"}))));
      if (const Status added = registry.add_crd(document.value); !added.ok()) return added.error().within(path);
      ++count;
    }
  }
  return count;
}

}  // namespace margay::apiserver
