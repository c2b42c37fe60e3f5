#include "agent/cni/container_interfaces.h"

#include <dirent.h>
#include <unistd.h>

#include <climits>
#include <utility>

#include "agent/cni/file_name.h"
#include "base/core/text.h"
#include "base/file/folders.h"

namespace margay::agent {
namespace {

std::string key_of(std::string_view container) { return file_name_of(container, NAME_MAX); }

std::string target_of(const std::string& path) {
  char target[64];
  const ssize_t size = readlink(path.c_str(), target, sizeof(target));
  return size <= 0 ? std::string() : std::string(target, static_cast<std::size_t>(size));
}

}  // namespace

ContainerInterfaces::ContainerInterfaces(std::string folder) : folder_(std::move(folder)) {
  DIR* open = folder_.empty() ? nullptr : opendir(folder_.c_str());
  if (open == nullptr) return;
  while (const dirent* entry = readdir(open)) {
    std::string target = target_of(path_of(entry->d_name));
    if (!target.empty()) interfaces_[entry->d_name] = std::move(target);
  }
  closedir(open);
}

std::string ContainerInterfaces::path_of(const std::string& key) const { return concat(folder_, '/', key); }

void ContainerInterfaces::put(const std::string& container, const std::string& interface) {
  if (folder_.empty() || find(container) == interface) return;
  remove(container);
  const std::string key = key_of(container);
  if (!file::make_folders(folder_, 0700).ok() || symlink(interface.c_str(), path_of(key).c_str()) != 0) return;
  interfaces_[key] = interface;
}

void ContainerInterfaces::remove(const std::string& container) {
  const std::string key = key_of(container);
  if (interfaces_.erase(key) > 0) (void)unlink(path_of(key).c_str());
}

std::string ContainerInterfaces::find(const std::string& container) const {
  const auto found = interfaces_.find(key_of(container));
  return found == interfaces_.end() ? std::string() : found->second;
}

}  // namespace margay::agent
