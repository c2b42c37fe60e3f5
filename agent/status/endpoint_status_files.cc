#include "agent/status/endpoint_status_files.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "base/core/text.h"
#include "base/file/file.h"
#include "base/json/value.h"

namespace margay::status {
namespace {

constexpr std::string_view kFolder = "/endpoint-status";
constexpr mode_t kFolderMode = 0755;
constexpr std::size_t kStatusFileMax = 64 * 1024;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// What writing atomically leaves beside a file while it goes on.
bool is_temporary(std::string_view name) { return name.find(".margay-") != std::string_view::npos; }

// Slashes and what else cannot stand in a name, as in a URL; one blank between the parts.
std::string escaped(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    if (c == '/' || c == '%' || c == ' ') {
      const auto byte = static_cast<unsigned char>(c);
      out += concat('%', kDigits[byte >> 4], kDigits[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

Result<std::set<std::string, std::less<>>> files_in(const std::string& directory) {
  std::set<std::string, std::less<>> names;
  const std::unique_ptr<DIR, CloseDirectory> open(::opendir(directory.c_str()));
  if (open == nullptr) {
    if (errno == ENOENT) return names;
    return file::error_of(errno, directory, "read");
  }
  while (const dirent* entry = ::readdir(open.get())) {
    const std::string_view name = entry->d_name;
    const bool is_other = entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK;
    if (name != "." && name != ".." && !is_other && !is_temporary(name)) names.emplace(name);
  }
  return names;
}

Status make_directory(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), kFolderMode) != 0 && errno != EEXIST) return file::error_of(errno, part, "make");
    if (end == std::string::npos) return ok_status();
  }
}

Status remove_file(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return ok_status();
  return file::error_of(errno, path, "remove");
}

}  // namespace

std::string file_name(const WorkloadId& id) {
  return concat(escaped(id.orchestrator), " ", escaped(id.workload), " ", escaped(id.endpoint));
}

std::string to_json(const EndpointStatus& status) {
  json::Object object;
  object["ifaceName"] = status.interface;
  if (status.mac) object["mac"] = status.mac->to_string();
  json::Array v4, v6;
  for (const IpPrefix& network : status.networks) (network.is_v4() ? v4 : v6).emplace_back(network.to_string());
  if (!v4.empty()) object["ipv4Nets"] = std::move(v4);
  if (!v6.empty()) object["ipv6Nets"] = std::move(v6);
  if (!status.bgp_peer_name.empty()) object["bgpPeerName"] = status.bgp_peer_name;
  return json::dump(json::Value(std::move(object)));
}

std::string EndpointStatusFiles::directory() const { return prefix_ + std::string(kFolder); }

void EndpointStatusFiles::set_prefix(const std::string& prefix) {
  if (prefix == prefix_) return;
  if (!prefix_.empty()) {
    for (const auto& [name, content] : wanted_) static_cast<void>(remove_file(concat(directory(), "/", name)));
  }
  prefix_ = prefix;
  dirty_.clear();
  for (const auto& [name, content] : wanted_) dirty_.insert(name);
}

void EndpointStatusFiles::set(const WorkloadId& id, std::optional<EndpointStatus> status) {
  const std::string name = file_name(id);
  const auto present = wanted_.find(name);
  if (!status) {
    if (present == wanted_.end()) return;
    wanted_.erase(present);
  } else {
    std::string content = to_json(*status);
    if (present != wanted_.end() && present->second == content) return;
    wanted_.insert_or_assign(name, std::move(content));
  }
  dirty_.insert(name);
}

void EndpointStatusFiles::mark_in_sync() { is_in_sync_ = true; }

Status EndpointStatusFiles::apply() {
  if (prefix_.empty()) {
    dirty_.clear();
    return ok_status();
  }
  Status result = ok_status();
  for (auto each = dirty_.begin(); each != dirty_.end();) {
    const Status one = apply_one(*each);
    if (!one.ok() && result.ok()) result = one;
    each = one.ok() ? dirty_.erase(each) : std::next(each);
  }
  return result;
}

Status EndpointStatusFiles::apply_one(const std::string& name) {
  const std::string path = concat(directory(), "/", name);
  const auto wanted = wanted_.find(name);
  if (wanted == wanted_.end()) return remove_file(path);
  Status written = file::update_file_atomically(path, wanted->second);
  if (written.ok() || written.error().code != ErrorCode::kNotFound) return written;
  MARGAY_RETURN_IF_ERROR(make_directory(directory()));
  return file::update_file_atomically(path, wanted->second);
}

Status EndpointStatusFiles::reconcile() {
  if (prefix_.empty()) return apply();
  auto present = files_in(directory());
  if (!present.ok()) return present.error();
  for (const auto& [name, content] : wanted_) {
    const auto found = file::read_file(concat(directory(), "/", name), kStatusFileMax);
    if (!found.ok() || *found != content) dirty_.insert(name);
  }
  for (const std::string& name : *present) {
    if (is_in_sync_ && !wanted_.contains(name)) dirty_.insert(name);
  }
  return apply();
}

}  // namespace margay::status
