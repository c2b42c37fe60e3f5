#include "base/process/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "base/core/text.h"
#include "base/file/file.h"
#include "base/process/build_info.h"

namespace margay::process {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kMicrosecondsPerSecond = 1e6;

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / kMicrosecondsPerSecond;
}

double cpu_seconds() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return kUnknown;
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

enum class Statm : std::size_t { kVirtual = 0, kResident = 1 };

double memory_bytes(Statm which) {
  const auto text = file::read_file("/proc/self/statm");
  if (!text.ok()) return kUnknown;
  const auto fields = split(*text, ' ');
  const auto index = static_cast<std::size_t>(which);
  const auto pages = index < fields.size() ? parse_number<std::uint64_t>(fields[index]) : std::nullopt;
  return pages ? static_cast<double>(*pages) * static_cast<double>(::sysconf(_SC_PAGESIZE)) : kUnknown;
}

double open_fds() {
  struct Close {
    void operator()(DIR* folder) const { (void)::closedir(folder); }
  };
  const std::unique_ptr<DIR, Close> folder(::opendir("/proc/self/fd"));
  if (folder == nullptr) return kUnknown;
  double count = -1;  // the folder's own
  while (const dirent* entry = ::readdir(folder.get()))
    if (entry->d_name[0] != '.') ++count;
  return count;
}

double max_fds() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : kUnknown;
}

double start_seconds() {
  const auto own = file::read_file("/proc/self/stat");
  const auto machine = file::read_file("/proc/stat");
  if (!own.ok() || !machine.ok()) return kUnknown;
  const auto ticks = parse_start_ticks(*own);
  const auto boot = parse_boot_seconds(*machine);
  if (!ticks.ok() || !boot.ok()) return kUnknown;
  return *boot + *ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

telemetry::Labels build_labels() {
  const BuildInfo info = build_info();
  return {{"version", std::string(info.version)},
          {"revision", std::string(info.revision)},
          {"compiler", std::string(info.compiler)}};
}

}  // namespace

Result<double> parse_start_ticks(std::string_view stat) {
  constexpr std::size_t kAfterName = 22 - 3;  // the state, field 3, is the first after the name
  const std::size_t end_of_name = stat.rfind(')');
  const auto fields = end_of_name == std::string_view::npos ? std::vector<std::string_view>()
                                                            : split(trim(stat.substr(end_of_name + 1)), ' ');
  const auto ticks = fields.size() > kAfterName ? parse_number<std::uint64_t>(fields[kAfterName]) : std::nullopt;
  if (!ticks) return invalid("no start time in the process's stat");
  return static_cast<double>(*ticks);
}

Result<double> parse_boot_seconds(std::string_view stat) {
  constexpr std::string_view kName = "btime ";
  for (const std::string_view line : split(stat, '\n')) {
    if (!line.starts_with(kName)) continue;
    if (const auto seconds = parse_number<std::uint64_t>(trim(line.substr(kName.size()))))
      return static_cast<double>(*seconds);
  }
  return invalid("no btime in the machine's stat");
}

ProcessMetrics::ProcessMetrics(telemetry::Registry& registry)
    : registry_(registry),
      build_(registry.callback_gauge({"margay_build_info", "1, with what the program was built from as labels.", ""},
                                     build_labels(), [] { return 1.0; })) {
  show();
}

void ProcessMetrics::set_shown(bool is_shown) {
  if (is_shown && handles_.empty()) show();
  if (!is_shown) handles_.clear();
}

void ProcessMetrics::show() {
  const auto gauge = [&](const telemetry::MetricInfo& info, const telemetry::Labels& labels,
                         std::function<double()> read) {
    handles_.push_back(registry_.callback_gauge(info, labels, std::move(read)));
  };
  handles_.push_back(registry_.callback_counter(
      {"process_cpu_seconds_total", "User and system CPU time used, in seconds.", "seconds"}, {}, cpu_seconds));
  gauge({"process_open_fds", "File descriptors that are open.", ""}, {}, open_fds);
  gauge({"process_max_fds", "How many file descriptors may be open.", ""}, {}, max_fds);
  gauge({"process_resident_memory_bytes", "Resident memory, in bytes.", "bytes"}, {},
        [] { return memory_bytes(Statm::kResident); });
  gauge({"process_virtual_memory_bytes", "Virtual memory, in bytes.", "bytes"}, {},
        [] { return memory_bytes(Statm::kVirtual); });
  gauge({"process_start_time_seconds", "When the process started, in seconds since the epoch.", "seconds"}, {},
        [started = start_seconds()] { return started; });
}

}  // namespace margay::process
