#include "ctl/lab/net_space.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "base/core/text.h"
#include "base/file/file.h"
#include "dataplane/netlink/netlink.h"

namespace margay::lab {
namespace {

constexpr const char* kFolder = "/run/netns";

// As ip-netns does: mounts made below are seen by everybody, so that a namespace removed here is gone everywhere.
Status prepare_folder() {
  if (mkdir(kFolder, 0755) != 0 && errno != EEXIST) return file::error_of(errno, kFolder, "cannot create");
  if (mount("", kFolder, "none", MS_SHARED | MS_REC, nullptr) == 0) return ok_status();
  if (errno != EINVAL) return file::error_of(errno, kFolder, "cannot share");
  if (mount(kFolder, kFolder, "none", MS_BIND | MS_REC, nullptr) != 0)
    return file::error_of(errno, kFolder, "cannot mount");
  if (mount("", kFolder, "none", MS_SHARED | MS_REC, nullptr) != 0)
    return file::error_of(errno, kFolder, "cannot share");
  return ok_status();
}

Status raise_loopback() {
  MARGAY_ASSIGN_OR_RETURN(const auto kernel, netlink::open_netlink(NETLINK_ROUTE));
  netlink::Batch batch;
  {
    netlink::Request request = batch.add(RTM_NEWLINK, 0);
    ifinfomsg head{};
    head.ifi_index = 1;
    head.ifi_flags = IFF_UP;
    head.ifi_change = IFF_UP;
    request.header(head);
  }
  const netlink::BatchReport report = kernel->apply(batch);
  if (!report.failures.empty()) return Error{ErrorCode::kInternal, concat("lo: ", report.failures.front().text)};
  return report.transport;
}

// Of this thread, which is in the new namespace.
Status pin_here(const std::string& path) {
  if (mount("/proc/thread-self/ns/net", path.c_str(), "none", MS_BIND, nullptr) != 0)
    return file::error_of(errno, path, "cannot mount");
  return raise_loopback();
}

Status on_thread(const std::function<Status()>& task) {
  Status done = ok_status();
  std::thread([&] { done = task(); }).join();
  return done;
}

}  // namespace

std::string path_of_space(std::string_view name) { return concat(kFolder, '/', name); }

Status create_space(const std::string& name) {
  MARGAY_RETURN_IF_ERROR(prepare_folder());
  const std::string path = path_of_space(name);
  const int fd = open(path.c_str(), O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0444);
  if (fd < 0) return file::error_of(errno, path, "cannot create");
  close(fd);
  Status made = on_thread([&path] {
    if (unshare(CLONE_NEWNET) != 0) return Status(netlink::error_of(errno, "a network namespace"));
    return pin_here(path);
  });
  if (!made.ok()) (void)remove_space(name);
  return made;
}

Status remove_space(const std::string& name) {
  const std::string path = path_of_space(name);
  if (umount2(path.c_str(), MNT_DETACH) != 0 && errno != EINVAL && errno != ENOENT)
    return file::error_of(errno, path, "cannot unmount");
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return file::error_of(errno, path, "cannot remove");
  return ok_status();
}

bool has_space(const std::string& name) {
  struct stat found {};
  return stat(path_of_space(name).c_str(), &found) == 0;
}

std::vector<std::string> spaces_with(std::string_view prefix) {
  std::vector<std::string> out;
  DIR* const folder = opendir(kFolder);
  if (folder == nullptr) return out;
  while (const dirent* const entry = readdir(folder)) {
    if (std::string_view(entry->d_name).starts_with(prefix)) out.emplace_back(entry->d_name);
  }
  closedir(folder);
  std::sort(out.begin(), out.end());
  return out;
}

Status run_in_space(const std::string& name, const std::function<Status()>& task) {
  return on_thread([&] {
    const std::string path = path_of_space(name);
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return Status(file::error_of(errno, path, "cannot open"));
    const bool is_in = setns(fd, CLONE_NEWNET) == 0;
    const int number = errno;
    close(fd);
    return is_in ? task() : Status(netlink::error_of(number, path));
  });
}

}  // namespace margay::lab
