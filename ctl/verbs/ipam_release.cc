// ipam release: addresses back into their blocks, and out of their handles; each block by compare-and-swap.
#include <map>

#include "base/core/text.h"
#include "base/file/file.h"
#include "cni/ipam/block.h"
#include "cni/ipam/handle_change.h"
#include "cni/ipam/names.h"
#include "ctl/verbs/ipam_world.h"
#include "ctl/verbs/verbs.h"
#include "datastore/codec/codec.h"
#include "datastore/codec/decoded.h"

namespace margay::verbs {
namespace {

using command::ExitCode;
using ipam::ReleaseWish;

constexpr int kAttemptsMax = 5;
constexpr std::size_t kReportMax = 64 * 1024 * 1024;

Status read_report(const std::string& path, std::vector<ReleaseWish>& wishes) {
  MARGAY_ASSIGN_OR_RETURN(const std::string text, file::read_file(path, kReportMax));
  auto report = json::parse(text, {.bytes_max = kReportMax});
  if (!report.ok()) return report.error().within(path);
  const json::Value* findings = report->find("findings");
  if (findings == nullptr || findings->as_array() == nullptr)
    return invalid(concat(path, ": is no report of ipam check"));
  for (const json::Value& each : *findings->as_array()) {
    if (each.string_at({"kind"}) != to_string(ipam::FindingKind::kLeakedAddress)) continue;
    const auto address = IpAddress::parse(each.string_at({"ip"}));
    if (!address.ok()) return address.error().within(path);
    const json::Value* sequence = each.find("sequenceNumber");
    wishes.push_back({address.value(), std::string(each.string_at({"handleId"})),
                      sequence != nullptr && sequence->as_integer() != nullptr ? std::optional(*sequence->as_integer())
                                                                               : std::nullopt});
  }
  return ok_status();
}

class Releaser {
 public:
  Releaser(Session& session, Api& api) : session_(session), api_(api) {}

  // The block that has these addresses. What could not be done is told.
  Status release_in(const std::string& block_name, const std::vector<ReleaseWish>& wishes) {
    const auto& resource = resource_of(session_, model::Kind::kIpamBlock);
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
      const auto read = api_.get(resource, {"", block_name});
      if (!read.ok()) return read.error().to_error();
      MARGAY_ASSIGN_OR_RETURN(auto block, codec::decoded<model::IpamBlock>(read.value()));
      MARGAY_RETURN_IF_ERROR(ipam::check_block(block.spec));
      MARGAY_ASSIGN_OR_RETURN(const ipam::Released released, ipam::release(block.spec, wishes, {}));
      if (released.by_handle.empty()) return ok_status();
      ++block.spec.sequence_number;
      json::Value body = read.value();
      codec::encode(block, body);
      const auto written = api_.update(resource, {"", block_name}, body, {});
      if (!written.ok() && written.error().code == ErrorCode::kConflict) continue;
      if (!written.ok()) return written.error().to_error();
      for (const auto& [handle, count] : released.by_handle) {
        released_ += count;
        const auto left = static_cast<std::int32_t>(ipam::addresses_of(block.spec, handle).size());
        MARGAY_RETURN_IF_ERROR(change_handle(handle, {{block.spec.cidr, left}}));
      }
      return ok_status();
    }
    return Error{ErrorCode::kConflict, "others kept changing it"};
  }

  [[nodiscard]] std::int32_t released() const { return released_; }

 private:
  Status change_handle(const std::string& handle, ipam::HandleCounts counts) {
    if (handle.empty()) return ok_status();
    ipam::HandleChange change(handle, std::move(counts));
    std::optional<ipam::Call> next = change.start();
    while (next) next = change.step(execute(*next));
    if (change.outcome() == ipam::HandleChange::Outcome::kFailed) return change.error();
    return ok_status();
  }

  ipam::Answer execute(const ipam::Call& call) {
    const auto& handle = std::get<model::IpamHandle>(call.object);
    const auto& resource = resource_of(session_, model::Kind::kIpamHandle);
    const kube::ObjectName name{"", handle.metadata.name};
    json::Value body;
    codec::encode(handle, body);
    const auto answer = [&]() -> kube::ApiResult<json::Value> {
      switch (call.verb) {
        case ipam::Verb::kGet: return api_.get(resource, name);
        case ipam::Verb::kCreate: return api_.create(resource, "", body, {});
        case ipam::Verb::kUpdate: return api_.update(resource, name, body, {});
        case ipam::Verb::kDelete:
          return api_.remove(resource, name,
                             {.uid = handle.metadata.uid, .resource_version = handle.metadata.resource_version});
      }
      return api_.get(resource, name);
    }();
    if (!answer.ok()) return answer.error().to_error();
    if (call.verb == ipam::Verb::kDelete) return call.object;
    auto read = codec::decoded<model::IpamHandle>(answer.value());
    if (!read.ok()) return read.error();
    return ipam::Object(std::move(read).value());
  }

  Session& session_;
  Api& api_;
  std::int32_t released_ = 0;
};

}  // namespace

ExitCode run_ipam_release(Session& session) {
  std::vector<ReleaseWish> wishes;
  for (const std::string& text : session.invocation().texts("ip")) {
    const auto address = IpAddress::parse(text);
    if (!address.ok()) return session.usage(concat("--ip: ", address.error().message));
    wishes.push_back({address.value()});
  }
  for (const std::string& path : session.invocation().texts("from-report")) {
    const Status read = read_report(path, wishes);
    if (!read.ok()) return session.fail(read.error());
  }
  if (wishes.empty() && !session.invocation().is_given("from-report")) {
    return session.usage("which addresses: --ip or --from-report");
  }
  IpamWorld world;
  if (const auto code = load_ipam(session, /*has_users=*/false, world)) return *code;
  std::map<std::string, std::vector<ReleaseWish>> by_block;
  bool is_whole = true;
  for (const ReleaseWish& wish : wishes) {
    const model::IpamBlock* found = nullptr;
    for (const auto& block : world.blocks) {
      if (block.spec.cidr.contains(wish.address)) found = &block;
    }
    if (found == nullptr) {
      session.io().error(concat(wish.address.to_string(), " is in no block: nobody has it"));
      is_whole = false;
      continue;
    }
    by_block[found->metadata.name].push_back(wish);
  }
  const auto api = session.api();
  if (!api.ok()) return session.fail(api.error());
  Releaser releaser(session, **api);
  for (const auto& [name, list] : by_block) {
    // One by one, so that an address that was given again does not keep the others.
    for (const ReleaseWish& wish : list) {
      const Status status = releaser.release_in(name, {wish});
      if (!status.ok()) session.io().error(concat(wish.address.to_string(), ": ", status.error().message));
      is_whole = is_whole && status.ok();
    }
  }
  if (session.invocation().text("output") == "json") {
    json::Value out;
    out["released"] = releaser.released();
    out["isComplete"] = is_whole;
    session.io().out(json::dump_pretty(out));
  } else {
    session.io().out(
        concat("released ", releaser.released(), releaser.released() == 1 ? " address\n" : " addresses\n"));
  }
  if (is_whole) return ExitCode::kDone;
  return releaser.released() > 0 ? ExitCode::kPartly : ExitCode::kFailed;
}

}  // namespace margay::verbs
