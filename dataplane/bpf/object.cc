#include "dataplane/bpf/object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string_view>

#include "base/core/text.h"
#include "dataplane/netlink/netlink.h"

namespace margay::bpf {
namespace {

using netlink::error_of;

constexpr std::size_t kVerifierLogBytes = std::size_t{1} << 20U;
constexpr std::size_t kVerifierTailBytes = 600;  // of it in a message
constexpr std::size_t kPacketBytesMax = std::size_t{1} << 16U;

// The last lines of what the verifier said, one after the other.
std::string tail_of(std::string_view log) {
  log = trim(log.substr(0, log.find('\0')));
  if (log.size() > kVerifierTailBytes) log.remove_prefix(log.size() - kVerifierTailBytes);
  std::string out(log);
  std::replace(out.begin(), out.end(), '\n', '|');
  return out;
}

bool is_same_form(const bpf_map& wanted, int found) {
  bpf_map_info info{};
  __u32 size = sizeof(info);
  if (bpf_obj_get_info_by_fd(found, &info, &size) != 0) return false;
  return info.type == bpf_map__type(&wanted) && info.key_size == bpf_map__key_size(&wanted) &&
         info.value_size == bpf_map__value_size(&wanted) && info.max_entries == bpf_map__max_entries(&wanted) &&
         info.map_flags == bpf_map__map_flags(&wanted);
}

struct CloseObject {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
};
using ObjectPtr = std::unique_ptr<bpf_object, CloseObject>;

Status use_maps(bpf_object* object, const Maps& maps) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    const auto found = maps.find(bpf_map__name(map));
    if (found == maps.end() || !is_same_form(*map, found->second.get())) continue;
    const int failed = bpf_map__reuse_fd(map, found->second.get());
    if (failed != 0) return error_of(-failed, concat("map ", found->first));
  }
  return ok_status();
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

class Object::Impl {
 public:
  Impl(std::string name, ObjectPtr object) : name_(std::move(name)), object_(std::move(object)) {}
  [[nodiscard]] Error none(const char* what) const {
    return Error{ErrorCode::kNotFound, concat("bpf object ", name_, " has no ", what)};
  }
  [[nodiscard]] bpf_object* get() const { return object_.get(); }

 private:
  std::string name_;
  ObjectPtr object_;
};

Object::Object(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Object::Object(Object&& other) noexcept = default;
Object::~Object() = default;

Result<Object> Object::load(const std::string& name, std::span<const std::uint8_t> bytes, const Maps& maps) {
  libbpf_set_print(nullptr);  // it would write to stderr what we return
  std::vector<char> log(kVerifierLogBytes);
  bpf_object_open_opts options{};
  options.sz = sizeof(options);
  options.object_name = name.c_str();
  options.kernel_log_buf = log.data();
  options.kernel_log_size = log.size();
  const std::string what = concat("bpf object ", name);
  ObjectPtr object(bpf_object__open_mem(bytes.data(), bytes.size(), &options));
  if (!object) return error_of(errno, what);
  MARGAY_RETURN_IF_ERROR(use_maps(object.get(), maps));
  const int failed = bpf_object__load(object.get());
  if (failed != 0) {
    const std::string said = tail_of({log.data(), log.size()});
    return error_of(-failed, said.empty() ? what : concat(what, ": verifier: ", said));
  }
  return Object(std::make_unique<Impl>(name, std::move(object)));
}

Result<int> Object::program(const char* name) const {
  const bpf_program* found = bpf_object__find_program_by_name(impl_->get(), name);
  if (found == nullptr) return impl_->none(name);
  return bpf_program__fd(found);
}

Result<int> Object::map(const char* name) const {
  const int found = bpf_object__find_map_fd_by_name(impl_->get(), name);
  if (found < 0) return impl_->none(name);
  return found;
}

Result<std::uint32_t> id_of(int program) {
  bpf_prog_info info{};
  __u32 size = sizeof(info);
  if (bpf_obj_get_info_by_fd(program, &info, &size) != 0) return error_of(errno, "bpf program");
  return info.id;
}

Result<Fd> program_by_id(std::uint32_t id) {
  Fd fd(bpf_prog_get_fd_by_id(id));
  if (fd.get() < 0) return error_of(errno, concat("bpf program ", id));
  return fd;
}

Result<LoadedProgram> loaded_program(std::uint32_t id) {
  const std::string what = concat("bpf program ", id);
  MARGAY_ASSIGN_OR_RETURN(const Fd fd, program_by_id(id));
  bpf_prog_info info{};
  __u32 size = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd.get(), &info, &size) != 0) return error_of(errno, what);
  LoadedProgram out{info.name, std::vector<std::uint32_t>(info.nr_map_ids)};
  bpf_prog_info with_maps{};
  with_maps.nr_map_ids = info.nr_map_ids;
  with_maps.map_ids = reinterpret_cast<std::uintptr_t>(out.maps.data());
  size = sizeof(with_maps);
  if (bpf_obj_get_info_by_fd(fd.get(), &with_maps, &size) != 0) return error_of(errno, what);
  return out;
}

Result<Maps> maps_of(const LoadedProgram& program) {
  Maps out;
  for (const std::uint32_t id : program.maps) {
    Fd fd(bpf_map_get_fd_by_id(id));
    if (fd.get() < 0) return error_of(errno, concat("map ", id, " of ", program.name));
    bpf_map_info info{};
    __u32 size = sizeof(info);
    if (bpf_obj_get_info_by_fd(fd.get(), &info, &size) != 0) return error_of(errno, concat("map ", id));
    out.emplace(info.name, std::move(fd));
  }
  return out;
}

Result<TestRun> test_run(int program, const TestPacket& packet) {
  TestRun out;
  out.packet.resize(kPacketBytesMax);
  __sk_buff context{};
  context.gso_size = packet.gso_size;
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = packet.bytes.data();
  options.data_size_in = static_cast<__u32>(packet.bytes.size());
  options.data_out = out.packet.data();
  options.data_size_out = static_cast<__u32>(out.packet.size());
  options.ctx_in = &context;
  options.ctx_size_in = sizeof(context);
  options.repeat = 1;
  if (bpf_prog_test_run_opts(program, &options) != 0) return error_of(errno, "bpf test run");
  out.verdict = options.retval;
  out.packet.resize(options.data_size_out);
  return out;
}

}  // namespace margay::bpf
