#include "test/integration/containerd.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/core/text.h"

namespace margay::test {
namespace {

constexpr const char* kImage = "margay.test/busybox:1";

// Fields of protocol buffers ("Encoding", wire types 0 and 2).
std::string varint(std::uint64_t number) {
  std::string out;
  for (; number > 0x7f; number >>= 7) out.push_back(static_cast<char>((number & 0x7f) | 0x80));
  out.push_back(static_cast<char>(number));
  return out;
}
std::string field(int number, std::string_view bytes) {
  return concat(varint(static_cast<std::uint64_t>(number) << 3 | 2), varint(bytes.size()), bytes);
}
std::string field(int number, std::uint64_t value) {
  return concat(varint(static_cast<std::uint64_t>(number) << 3), varint(value));
}

// The first field of a message that is bytes.
std::string first_text(std::string_view message) {
  if (message.size() < 2 || static_cast<std::size_t>(message[1]) + 2 > message.size()) return {};
  return std::string(message.substr(2, static_cast<std::size_t>(message[1])));
}

std::string config_text(const std::string& folder) {
  return concat("version = 2\nroot = \"", folder, "/root\"\nstate = \"", folder, "/state\"\n[grpc]\naddress = \"",
                folder, "/containerd.sock\"\n[plugins.\"io.containerd.grpc.v1.cri\"]\nrestrict_oom_score_adj = true\n",
                "disable_tcp_service = true\nsandbox_image = \"", kImage, "\"\n",
                "[plugins.\"io.containerd.grpc.v1.cri\".containerd]\nsnapshotter = \"native\"\n",
                "[plugins.\"io.containerd.grpc.v1.cri\".cni]\nbin_dir = \"", folder, "/bin\"\nconf_dir = \"", folder,
                "/conf\"\n");
}

// An archive as docker makes it, of one layer with a static busybox.
constexpr const char* kImageScript = R"SCRIPT(set -e
mkdir -p layer/bin layer/tmp layer/proc layer/sys layer/dev layer/etc
cp "$(command -v busybox)" layer/bin/busybox
ln -s busybox layer/bin/httpd
tar --owner=0 --group=0 -C layer -cf layer.tar .
digest=$(sha256sum layer.tar | cut -d' ' -f1)
printf '{"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/httpd","-f","-p","8080","-h","/etc"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$digest" > config.json
printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$1" > manifest.json
tar -cf image.tar config.json layer.tar manifest.json)SCRIPT";

std::string missing_programs() {
  if (getuid() != 0) return "needs root";
  for (const char* program : {"containerd", "ctr", "runc", "busybox", "curl", "unshare"}) {
    const auto found = run_program(
        {.argv = {"sh", "-c", concat("command -v ", program)}, .environment = {}, .stdin_text = "", .output_path = ""});
    if (found.exit_status != 0) return concat(program, " is not installed (scripts/install-deps test)");
  }
  return {};
}

}  // namespace

Containerd::Containerd(const std::string& conflist) {
  for (const char* folder : {"bin", "conf"}) (void)mkdir(dir_.file(folder).c_str(), 0755);
  for (const char* program : {"margay", "margay-ipam"}) {
    (void)!symlink(program_path(program).c_str(), dir_.file(concat("bin/", program)).c_str());
  }
  for (const char* program : {"portmap", "bandwidth", "tuning", "loopback"}) {
    (void)!symlink(concat("/usr/lib/cni/", program).c_str(), dir_.file(concat("bin/", program)).c_str());
  }
  write_text(dir_.file("conf/10-margay.conflist"), conflist);
  write_text(dir_.file("config.toml"), config_text(dir_.path()));
  process_ =
      std::make_unique<ChildProcess>(ProcessOptions{{"unshare", "--mount", "--pid", "--fork", "--kill-child",
                                                     "--mount-proc", "containerd", "-c", dir_.file("config.toml")},
                                                    {},
                                                    "",
                                                    dir_.file("containerd.log")});
}

std::unique_ptr<Containerd> Containerd::start(const std::string& conflist, std::string* why) {
  *why = missing_programs();
  if (!why->empty()) return nullptr;
  std::unique_ptr<Containerd> made(new Containerd(conflist));
  const bool is_up = poll_until(std::chrono::seconds(20),
                                [&] { return made->call("Version", "").ok() || !made->process_->is_running(); });
  if (!is_up || !made->process_->is_running()) {
    *why = concat("containerd does not run here: ", made->logs());
    return nullptr;
  }
  if (!made->import_image(why)) return nullptr;
  return made;
}

bool Containerd::import_image(std::string* why) {
  const auto packed = run_program({.argv = {"sh", "-c", concat("cd ", dir_.path(), "\n", kImageScript), "sh", kImage},
                                   .environment = {},
                                   .stdin_text = "",
                                   .output_path = ""});
  const auto imported = run_program({.argv = {"ctr", "-a", dir_.file("containerd.sock"), "-n", "k8s.io", "images",
                                              "import", "--snapshotter", "native", dir_.file("image.tar")},
                                     .environment = {},
                                     .stdin_text = "",
                                     .output_path = ""});
  if (packed.exit_status != 0 || imported.exit_status != 0) {
    *why = concat("containerd takes no image here: ", packed.err, imported.err);
    return false;
  }
  // It looks for images again from time to time; the CRI has to know this one.
  return poll_until(std::chrono::seconds(10), [this] {
    const auto status = call("ImageStatus", field(1, field(1, std::string_view(kImage))));
    return status.ok() && status->find("busybox") != std::string::npos;
  });
}

Result<std::string> Containerd::call(const std::string& method, const std::string& message) {
  std::string framed(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) framed.push_back(static_cast<char>(message.size() >> shift & 0xff));
  write_text(dir_.file("request"), framed + message);
  const std::string service = method == "ImageStatus" ? "ImageService" : "RuntimeService";
  const auto asked =
      run_program({.argv = {"curl", "-sS", "--max-time", "60", "--http2-prior-knowledge", "--unix-socket",
                            dir_.file("containerd.sock"), "-H", "content-type: application/grpc", "-H", "te: trailers",
                            "--data-binary", concat("@", dir_.file("request")), "-D", dir_.file("headers"),
                            concat("http://localhost/runtime.v1.", service, "/", method)},
                   .environment = {},
                   .stdin_text = "",
                   .output_path = ""});
  const std::string headers = read_text(dir_.file("headers"));
  if (asked.exit_status != 0) return Error{ErrorCode::kUnavailable, asked.err};
  if (headers.find("grpc-status: 0") == std::string::npos) return Error{ErrorCode::kInternal, headers};
  return asked.out.size() < 5 ? std::string() : asked.out.substr(5);
}

Result<std::string> Containerd::run_sandbox(const SandboxOptions& options) {
  // PodSandboxConfig of cri-api's runtime.v1: metadata 1, hostname 2, port_mappings 5, annotations 7, linux 8.
  std::string config = field(1, concat(field(1, options.pod_name), field(2, options.pod_uid),
                                       field(3, options.pod_namespace), field(4, options.attempt)));
  config += field(2, options.pod_name);
  for (const auto& [host, pod] : options.host_ports) {
    config += field(5, concat(field(1, 0), field(2, std::uint64_t{pod}), field(3, std::uint64_t{host})));
  }
  for (const auto& [name, value] : options.annotations) config += field(7, concat(field(1, name), field(2, value)));
  config += field(8, field(1, std::string_view("/margay-test")));
  MARGAY_ASSIGN_OR_RETURN(const std::string answer, call("RunPodSandbox", field(1, config)));
  return first_text(answer);
}

Status Containerd::stop_sandbox(const std::string& id) {
  const auto done = call("StopPodSandbox", field(1, id));
  return done.ok() ? ok_status() : Status(done.error());
}

Status Containerd::remove_sandbox(const std::string& id) {
  const auto done = call("RemovePodSandbox", field(1, id));
  return done.ok() ? ok_status() : Status(done.error());
}

std::string Containerd::logs() const { return read_text(dir_.file("containerd.log")); }

}  // namespace margay::test
