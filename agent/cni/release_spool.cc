#include "agent/cni/release_spool.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>

#include "agent/cni/file_name.h"
#include "base/core/text.h"
#include "base/file/file.h"
#include "base/file/folders.h"
#include "base/json/value.h"

namespace margay::agent {
namespace {

constexpr std::string_view kEnding = ".json";
constexpr std::size_t kFileMax = 64 * 1024;
constexpr std::size_t kNameMax = 128;  // two make a file's

std::string text_of(const PendingRelease& release) {
  json::Object object;
  object["network"] = release.network;
  object["container"] = release.container;
  object["interface"] = release.interface;
  object["podNamespace"] = release.pod_namespace;
  object["podName"] = release.pod_name;
  return json::dump(json::Value(std::move(object)));
}

}  // namespace

std::string ReleaseSpool::path_of(const PendingRelease& release) const {
  return concat(folder_, '/', file_name_of(release.container, kNameMax), '-', file_name_of(release.interface, kNameMax),
                kEnding);
}

Status ReleaseSpool::put(const PendingRelease& release) {
  MARGAY_RETURN_IF_ERROR(file::make_folders(folder_, 0700));
  return file::write_file_atomically(path_of(release), text_of(release), 0600);
}

Status ReleaseSpool::put_quickly(const PendingRelease& release) {
  MARGAY_RETURN_IF_ERROR(file::make_folders(folder_, 0700));
  return file::update_file_atomically(path_of(release), text_of(release), 0600);
}

void ReleaseSpool::remove(const PendingRelease& release) { (void)unlink(path_of(release).c_str()); }

bool ReleaseSpool::has(const std::string& container, const std::string& interface) const {
  return access(path_of({"", container, interface, "", ""}).c_str(), F_OK) == 0;
}

std::vector<PendingRelease> ReleaseSpool::list(std::vector<std::string>* problems) const {
  std::vector<std::string> names;
  DIR* folder = opendir(folder_.c_str());
  if (folder == nullptr) return {};
  while (const dirent* entry = readdir(folder)) {
    const std::string_view name = entry->d_name;
    if (name.ends_with(kEnding)) names.emplace_back(name);
  }
  closedir(folder);
  std::sort(names.begin(), names.end());
  std::vector<PendingRelease> out;
  for (const std::string& name : names) {
    const auto text = file::read_file(concat(folder_, '/', name), kFileMax);
    const auto value = text.ok() ? json::parse(text.value()) : Result<json::Value>(text.error());
    if (!value.ok() || value->string_at({"container"}).empty()) {
      problems->push_back(concat(folder_, '/', name, ": ", value.ok() ? "has no container" : value.error().message));
      continue;
    }
    const auto member = [&value](std::string_view key) { return std::string(value->string_at({key})); };
    out.push_back(
        {member("network"), member("container"), member("interface"), member("podNamespace"), member("podName")});
  }
  return out;
}

}  // namespace margay::agent
