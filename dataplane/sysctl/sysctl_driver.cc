#include "dataplane/sysctl/sysctl_driver.h"

#include <optional>
#include <utility>

#include "base/core/text.h"

namespace margay::sysctl {

namespace {

// net / ipv4 / conf / <interface> / <setting>
constexpr std::size_t kInterfacePart = 3;
constexpr std::size_t kParts = 5;

std::optional<std::string> interface_of(const std::string& path) {
  const auto parts = split(path, '/');
  if (parts.size() != kParts || parts[0] != "net") return std::nullopt;
  return std::string(parts[kInterfacePart]);
}

}  // namespace

std::string interface_path(std::string_view group, std::string_view interface, std::string_view setting) {
  return concat("net/", group, "/", interface, "/", setting);
}

void SysctlDriver::note_path(const std::string& path) {
  if (const auto interface = interface_of(path)) paths_[*interface].insert(path);
}

void SysctlDriver::remember(const std::string& path, const std::string& value) {
  earlier_.try_emplace(path, value);
  note_path(path);
}

void SysctlDriver::set(const std::string& path, const std::string& value) {
  note_path(path);
  const std::string* present = settings_.desired(path);
  if (present == nullptr || *present != value) refused_.erase(path);
  settings_.set_desired(path, value);
  if (settings_.actual(path) == nullptr && !refused_.contains(path)) unread_.insert(path);
}

void SysctlDriver::reset(const std::string& path) {
  settings_.remove_desired(path);
  refused_.erase(path);
  // Set in an earlier life.
  if (settings_.actual(path) == nullptr && earlier_.contains(path)) unread_.insert(path);
}

void SysctlDriver::note_interface(std::string_view interface) {
  const auto known = paths_.find(interface);
  if (known == paths_.end()) return;
  for (const std::string& path : known->second) {
    earlier_.erase(path);
    settings_.actual_lost(path);
    refused_.erase(path);
    if (settings_.desired(path) != nullptr) unread_.insert(path);
  }
}

void SysctlDriver::forget_interface(std::string_view interface) {
  const auto known = paths_.find(interface);
  if (known == paths_.end()) return;
  for (const std::string& path : known->second) {
    settings_.remove_desired(path);
    settings_.actual_lost(path);
    earlier_.erase(path);
    refused_.erase(path);
    unread_.erase(path);
  }
  paths_.erase(known);
}

void SysctlDriver::complain(dataplane::ApplyReport& report, const std::string& path, const Error& error) {
  if (!refused_.insert(path).second) return;
  ++report.failed;
  if (report.failures.size() >= dataplane::kFailuresReportedMax) return;
  report.failures.push_back({concat("setting ", path), error});
}

void SysctlDriver::look(const std::string& path, dataplane::ApplyReport& report) {
  auto value = tree_.read(path);
  if (value.ok()) return settings_.note_actual(path, std::move(value).value());
  settings_.actual_lost(path);
  if (value.error().code != ErrorCode::kNotFound) complain(report, path, value.error());
}

void SysctlDriver::write_pending(dataplane::ApplyReport& report) {
  std::vector<std::string> gone;
  settings_.apply_updates([&](const std::string& path, const std::string& wanted, const std::string* actual) {
    // Not there, or it has been said that it cannot be set.
    if (actual == nullptr || refused_.contains(path)) return Outcome::kFailed;
    const Status written = tree_.write(path, wanted);
    if (written.ok()) {
      earlier_.try_emplace(path, *actual);
      ++report.updated;
      return Outcome::kApplied;
    }
    if (written.error().code == ErrorCode::kNotFound) {
      gone.push_back(path);
    } else {
      complain(report, path, written.error());
    }
    return Outcome::kFailed;
  });
  for (const std::string& path : gone) settings_.actual_lost(path);
}

void SysctlDriver::give_back(dataplane::ApplyReport& report) {
  settings_.apply_removes([&](const std::string& path, const std::string& ours) {
    const auto earlier = earlier_.find(path);
    if (earlier == earlier_.end()) return Outcome::kApplied;
    const auto now = tree_.read(path);
    if (now.ok() && *now == ours && ours != earlier->second) {
      const Status written = tree_.write(path, earlier->second);
      if (written.ok())
        ++report.removed;
      else if (written.error().code != ErrorCode::kNotFound)
        complain(report, path, written.error());
    }
    earlier_.erase(earlier);
    return Outcome::kApplied;
  });
}

dataplane::ApplyReport SysctlDriver::apply(TimePoint) {
  dataplane::ApplyReport report;
  if (std::exchange(needs_resync_, false)) {
    refused_.clear();
    settings_.for_each([this](const std::string& path, const std::string* desired, const std::string*) {
      if (desired != nullptr) unread_.insert(path);
    });
  }
  for (const std::string& path : std::exchange(unread_, {})) look(path, report);
  if (settings_.pending_updates() > 0) write_pending(report);
  if (settings_.pending_removes() > 0) give_back(report);
  return report;
}

}  // namespace margay::sysctl
