#include "cni/plugin/install.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

#include "base/core/text.h"
#include "base/file/file.h"
#include "base/json/value.h"
#include "cni/plugin/invocation.h"

namespace margay::cni {
namespace {

constexpr std::size_t kProgramBytesMax = 256 * 1024 * 1024;
constexpr mode_t kProgramMode = 0755;
// The oldest that CHECK came with: runtimes of Kubernetes 1.20 know it. Newer ones choose from the list.
constexpr std::string_view kConfigVersion = "0.4.0";

constexpr std::string_view kInstallUsage =
    R"(margay install: puts this CNI plugin and its configuration where the container runtime looks for them

  margay install [--bin-dir DIR] [--conf-dir DIR] [options]

  --bin-dir DIR      of programs; default /opt/cni/bin
  --conf-dir DIR     of configurations; default /etc/cni/net.d
  --conf-name NAME   of the file there; default 10-margay.conflist
  --config FILE      use this configuration in place of our own
  --plugins-dir DIR  programs of others (portmap, loopback), copied where DIR of --bin-dir has none
  --network NAME     default k8s-pod-network
  --socket PATH      where margay-node answers; default /run/margay/cni.sock
  --state-dir DIR    margay-node's; default /var/lib/margay
  --mtu BYTES        of pods' interfaces; default: margay-node says

Exit: 0 done, 1 failed, 2 wrong usage
)";

class Installer {
 public:
  explicit Installer(const InstallOptions& options) : options_(options) {}

  Result<std::vector<std::string>> run() {
    MARGAY_RETURN_IF_ERROR(make_folders());
    MARGAY_RETURN_IF_ERROR(copy(options_.program, bin("margay")));
    MARGAY_RETURN_IF_ERROR(copy(options_.program, bin("margay-ipam")));
    MARGAY_RETURN_IF_ERROR(copy_others());
    MARGAY_RETURN_IF_ERROR(write_config());
    look_for_rivals();
    return std::move(lines_);
  }

 private:
  [[nodiscard]] std::string bin(std::string_view name) const { return concat(options_.bin_dir, "/", name); }

  Status make_folders() {
    for (const std::string* folder : {&options_.bin_dir, &options_.conf_dir}) {
      for (std::size_t end = folder->find('/', 1);; end = folder->find('/', end + 1)) {
        const std::string part = folder->substr(0, end);
        if (::mkdir(part.c_str(), 0755) < 0 && errno != EEXIST)
          return file::error_of(errno, part, "cannot make folder");
        if (end == std::string::npos) break;
      }
    }
    return ok_status();
  }

  // Nothing happens to a file that has the content and the mode.
  Status put(const std::string& path, const std::string& content, mode_t mode) {
    struct stat found {};
    const bool is_file = ::lstat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode);
    if (is_file && (found.st_mode & 07777) == mode) {
      const auto present = file::read_file(path, kProgramBytesMax);
      if (present.ok() && present.value() == content) {
        lines_.push_back(concat(path, " is as it should be"));
        return ok_status();
      }
    }
    MARGAY_RETURN_IF_ERROR(file::write_file_atomically(path, content, mode));
    lines_.push_back(concat(path, is_file ? " is replaced" : " is new"));
    return ok_status();
  }

  Status copy(const std::string& from, const std::string& to) {
    MARGAY_ASSIGN_OR_RETURN(const std::string content, file::read_file(from, kProgramBytesMax));
    return put(to, content, kProgramMode);
  }

  static std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    DIR* const stream = ::opendir(folder.c_str());
    if (stream == nullptr) return names;
    while (const dirent* entry = ::readdir(stream)) {
      if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    ::closedir(stream);
    std::sort(names.begin(), names.end());
    return names;
  }

  // The host's own are never replaced: they may be newer than ours.
  Status copy_others() {
    if (options_.plugins_dir.empty()) return ok_status();
    for (const std::string& name : names_in(options_.plugins_dir)) {
      if (::access(bin(name).c_str(), F_OK) == 0) continue;
      MARGAY_RETURN_IF_ERROR(copy(concat(options_.plugins_dir, "/", name), bin(name)));
    }
    return ok_status();
  }

  Status write_config() {
    std::string text = default_config(options_, ::access(bin("portmap").c_str(), X_OK) == 0);
    if (!options_.config.empty()) {
      MARGAY_ASSIGN_OR_RETURN(text, file::read_file(options_.config));
      MARGAY_RETURN_IF_ERROR(check_config(text));
    }
    return put(concat(options_.conf_dir, "/", options_.conf_name), text, 0644);
  }

  // A runtime that cannot read the file keeps the node from being ready, and tells nobody why.
  Status check_config(const std::string& text) const {
    const auto parsed = json::parse(text);
    if (!parsed.ok()) return parsed.error().within(options_.config);
    const json::Value* plugins = parsed->find("plugins");
    if (plugins == nullptr || plugins->as_array() == nullptr || plugins->as_array()->empty()) {
      return invalid("no \"plugins\": a list is needed").within(options_.config);
    }
    if (parsed->string_at({"name"}).empty()) return invalid("no \"name\"").within(options_.config);
    const auto& list = *plugins->as_array();
    const bool has_us = std::any_of(list.begin(), list.end(),
                                    [](const json::Value& each) { return each.string_at({"type"}) == "margay"; });
    if (!has_us) return invalid("no plugin of \"type\": \"margay\"").within(options_.config);
    return ok_status();
  }

  void look_for_rivals() {
    for (const std::string& name : names_in(options_.conf_dir)) {
      if (name >= options_.conf_name) break;
      if (!name.ends_with(".conf") && !name.ends_with(".conflist") && !name.ends_with(".json")) continue;
      lines_.push_back(concat("warning: ", options_.conf_dir, "/", name, " comes before ", options_.conf_name,
                              ": the container runtime uses that one until it is removed"));
    }
  }

  const InstallOptions& options_;
  std::vector<std::string> lines_;
};

struct ParsedInstall {
  InstallOptions options;
  std::optional<std::string> problem;
  bool wants_help = false;
};

ParsedInstall parse_install(const std::vector<std::string>& arguments) {
  ParsedInstall out;
  InstallOptions& to = out.options;
  std::string mtu;
  const std::pair<std::string_view, std::string*> names[] = {
      {"--bin-dir", &to.bin_dir}, {"--conf-dir", &to.conf_dir},       {"--conf-name", &to.conf_name},
      {"--config", &to.config},   {"--plugins-dir", &to.plugins_dir}, {"--network", &to.network},
      {"--socket", &to.socket},   {"--state-dir", &to.state_dir},     {"--mtu", &mtu}};
  for (std::size_t i = 1; i < arguments.size() && !out.problem; ++i) {
    if (arguments[i] == "--help" || arguments[i] == "-h") out.wants_help = true;
    if (out.wants_help) return out;
    const auto parts = split_once(arguments[i], '=');
    const std::string_view name = parts ? parts->first : std::string_view(arguments[i]);
    const auto* known =
        std::find_if(std::begin(names), std::end(names), [&](const auto& e) { return e.first == name; });
    if (known == std::end(names)) {
      out.problem = concat("unknown option ", quoted(name));
    } else if (!parts && i + 1 == arguments.size()) {
      out.problem = concat(name, " needs a value");
    } else {
      *known->second = parts ? std::string(parts->second) : arguments[++i];
      if (known->second->empty()) out.problem = concat(name, " is empty");
    }
  }
  if (mtu.empty() || out.problem) return out;
  const auto bytes = parse_number<std::int64_t>(mtu);
  if (!bytes || *bytes < 68 || *bytes > 65535) out.problem = concat("--mtu: ", quoted(mtu), " is not 68 to 65535");
  if (!out.problem) to.mtu = *bytes;
  return out;
}

}  // namespace

std::string default_config(const InstallOptions& options, bool has_portmap) {
  json::Object ours;
  ours["type"] = "margay";
  ours["socket"] = options.socket;
  ours["state_dir"] = options.state_dir;
  if (options.mtu != 0) ours["mtu"] = options.mtu;
  ours["ipam"]["type"] = "margay-ipam";
  json::Array plugins;
  plugins.emplace_back(std::move(ours));
  if (has_portmap) {
    json::Object portmap;
    portmap["type"] = "portmap";
    portmap["snat"] = true;
    portmap["capabilities"]["portMappings"] = true;
    plugins.emplace_back(std::move(portmap));
  }
  json::Array versions;
  for (const std::string_view version : kVersions) {
    if (!is_before(version, kConfigVersion)) versions.emplace_back(version);
  }
  json::Object out;
  out["name"] = options.network;
  out["cniVersion"] = kConfigVersion;
  out["cniVersions"] = std::move(versions);
  out["plugins"] = std::move(plugins);
  return json::dump_pretty(json::Value(std::move(out))) + "\n";
}

Result<std::vector<std::string>> install(const InstallOptions& options) { return Installer(options).run(); }

int run_install(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments.front() != "install") {
    std::fputs("margay: called by a container runtime as a CNI plugin, or as margay install (--help says more)\n",
               stderr);
    return 2;
  }
  const ParsedInstall parsed = parse_install(arguments);
  if (parsed.wants_help) return std::fputs(std::string(kInstallUsage).c_str(), stdout) < 0 ? 1 : 0;
  if (parsed.problem) {
    std::fputs(concat("margay install: ", *parsed.problem, "\nSee margay install --help\n").c_str(), stderr);
    return 2;
  }
  const auto done = install(parsed.options);
  if (!done.ok()) {
    std::fputs(concat("margay install: ", done.error().message, "\n").c_str(), stderr);
    return 1;
  }
  for (const std::string& line : done.value()) std::puts(line.c_str());
  return 0;
}

}  // namespace margay::cni
