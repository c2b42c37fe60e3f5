// support-bundle: what helps to find a fault, as one archive. What cannot be had is said, and does not keep the rest
// back.
#include <algorithm>
#include <array>
#include <set>

#include "base/core/text.h"
#include "base/core/time_text.h"
#include "ctl/node/mask.h"
#include "ctl/node/tar.h"
#include "ctl/verbs/node_reports.h"
#include "ctl/verbs/verbs.h"

namespace margay::verbs {
namespace {

using command::ExitCode;
using json::Value;

constexpr std::size_t kLogBytesMax = std::size_t{4} << 20U;  // of each log, from its end
constexpr Duration kProgramLimit = std::chrono::seconds(30);

// Never asked for, or nothing of the network.
constexpr std::array<std::string_view, 4> kLeftOut = {"secrets", "configmaps", "leases", "customresourcedefinitions"};

struct AgentPage {
  std::string_view file, target;
};
constexpr AgentPage kAgentPages[] = {
    {"status.json", "/status"},       {"peers.json", "/peers"},          {"routes.json", "/routes"},
    {"endpoints.json", "/endpoints"}, {"problems.json", "/problems"},    {"settings.json", "/settings"},
    {"metrics.txt", "/metrics"},      {"readyz.txt", "/readyz?verbose"}, {"livez.txt", "/livez?verbose"},
};

struct KernelPage {
  std::string_view file;
  std::string_view command;  // words between blanks
};
constexpr KernelPage kKernelPages[] = {
    {"uname.txt", "uname -a"},
    {"links.txt", "ip -d -s link show"},
    {"addresses.txt", "ip address show"},
    {"routes.txt", "ip -d route show table all"},
    {"routes-v6.txt", "ip -6 -d route show table all"},
    {"rules.txt", "ip rule show"},
    {"rules-v6.txt", "ip -6 rule show"},
    {"neighbours.txt", "ip neighbour show"},
    {"fdb.txt", "bridge fdb show"},
    {"iptables.txt", "iptables-save -c"},
    {"ip6tables.txt", "ip6tables-save -c"},
    {"nftables.txt", "nft list ruleset"},
    {"sets.txt", "ipset save"},
    {"sockets.txt", "ss -tunap"},
    {"settings-v4.txt", "sysctl net.ipv4"},
    {"settings-v6.txt", "sysctl net.ipv6"},
};
constexpr std::string_view kJournal =
    "journalctl --no-pager --lines=20000 --unit=margay-node --unit=margay-controllers --unit=margay-apiserver "
    "--unit=margay-bgpd --unit=kubelet --unit=containerd";
constexpr std::string_view kLogFiles[] = {"/var/log/pods/*margay*/*/*.log", "/var/log/margay/*.log"};

std::string_view tail(std::string_view text) {
  return text.size() <= kLogBytesMax ? text : text.substr(text.size() - kLogBytesMax);
}

class Bundle {
 public:
  Bundle(Session& session, std::string folder)
      : session_(session), folder_(std::move(folder)), tar_(session.io().wall_now()) {}

  void add(std::string_view path, std::string_view content) {
    if (!tar_.add(concat(folder_, "/", path), content)) return note(path, "its name is too long");
    files_.emplace_back(path);
  }
  // Something that could not be collected.
  void miss(std::string_view what, std::string_view why) {
    note(what, why);
    ++missed_;
    session_.io().warning(concat(what, ": ", why));
  }
  // Something that is not there, and need not be.
  void note(std::string_view what, std::string_view why) {
    notes_.emplace_back(json::Object{{"what", what}, {"why", why}});
  }
  [[nodiscard]] std::size_t missed() const { return missed_; }
  [[nodiscard]] std::size_t size() const { return files_.size(); }

  std::string finish() && {
    const verbs::Self& self = session_.self();
    json::Array files;
    for (const std::string& file : files_) files.emplace_back(file);
    const Value manifest = json::Object{{"netctl", concat(self.version, " ", self.commit)},
                                        {"collected", format_timestamp(session_.io().wall_now())},
                                        {"files", std::move(files)},
                                        {"notCollected", std::move(notes_)}};
    (void)tar_.add(concat(folder_, "/manifest.json"), json::dump_pretty(manifest));
    return std::move(tar_).finish();
  }

 private:
  Session& session_;
  std::string folder_;
  node::Tar tar_;
  std::vector<std::string> files_;
  json::Array notes_;
  std::size_t missed_ = 0;
};

// --- the cluster ---

void add_objects(Session& session, Api& api, Bundle& bundle) {
  std::set<std::string> done;
  for (const schema::ResourceInfo* kind : session.registry().all()) {
    const std::string name = kind->group.empty() ? kind->plural : concat(kind->plural, ".", kind->group);
    if (std::find(kLeftOut.begin(), kLeftOut.end(), kind->plural) != kLeftOut.end() || !done.insert(name).second)
      continue;
    auto listed = api.list(*kind, "", {});
    if (!listed.ok() && listed.error().code == ErrorCode::kNotFound) {
      bundle.note(name, "the server does not have this kind");
      continue;
    }
    if (!listed.ok()) {
      bundle.miss(name, describe(listed.error()));
      // Without a server there is none for the next kind either.
      if (listed.error().http_status == 0) return;
      continue;
    }
    json::Array items;
    for (Value& object : listed->items) {
      node::mask_secrets(object);
      items.push_back(std::move(object));
    }
    bundle.add(concat("cluster/", name, ".json"), json::dump_pretty(Value(std::move(items))));
  }
}

void add_reports(Session& session, Bundle& bundle, Duration wait) {
  const auto nodes = node_names(session);
  if (!nodes.ok()) return bundle.miss("nodes", nodes.error().message);
  const auto reports = reports_by_api(session, *nodes, wait);
  if (!reports.ok()) return bundle.miss("reports of nodes", reports.error().message);
  json::Array list;
  for (const node::NodeReport& report : *reports) {
    if (!report.problem.empty()) bundle.miss(concat("report of node ", report.node), report.problem);
    list.push_back(as_json(report));
  }
  bundle.add("nodes.json", json::dump_pretty(Value(std::move(list))));
}

void add_cluster(Session& session, Bundle& bundle, Duration wait) {
  const auto api = session.api();
  if (!api.ok()) return bundle.miss("the cluster", api.error().message);
  if (const auto version = (*api)->get_path("/version"); version.ok()) {
    bundle.add("cluster/version.json", *version);
  } else {
    return bundle.miss("the cluster", describe(version.error()));
  }
  add_objects(session, **api, bundle);
  add_reports(session, bundle, wait);
}

// --- this machine ---

void add_agent(Session& session, Bundle& bundle, const std::string& socket) {
  for (const AgentPage& page : kAgentPages) {
    const std::string path = concat("agent/", page.file);
    const auto answer = session.host().get(socket, std::string(page.target), kProgramLimit);
    if (!answer.ok()) {
      bundle.miss(path, answer.error().message);
      continue;
    }
    if (answer->status == 404) {
      bundle.note(path, "this agent does not have the page");
      continue;
    }
    // Not being ready is an answer too.
    bundle.add(path, answer->body);
  }
}

void add_output(Session& session, Bundle& bundle, std::string_view path, std::string_view line) {
  const std::vector<std::string_view> words = split(line, ' ');
  exec::Command command{.program = std::string(words.front()), .time_limit = kProgramLimit};
  for (std::size_t i = 1; i < words.size(); ++i) command.arguments.emplace_back(words[i]);
  const auto finished = session.host().programs().run(command);
  if (!finished.ok() && finished.error().code == ErrorCode::kNotFound)
    return bundle.note(path, concat("there is no program ", command.program));
  if (!finished.ok()) return bundle.miss(path, finished.error().message);
  bundle.add(path, tail(finished->output));
  if (!finished->is_success()) bundle.note(path, concat(line, ": ", trim(finished->errors)));
}

void add_machine(Session& session, Bundle& bundle) {
  for (const KernelPage& page : kKernelPages) add_output(session, bundle, concat("machine/", page.file), page.command);
  if (session.invocation().is_on("no-logs")) return;
  add_output(session, bundle, "logs/journal.txt", kJournal);
  for (const std::string_view pattern : kLogFiles) {
    for (const std::string& file : session.host().files(std::string(pattern))) {
      const auto text = session.host().read_file(file);
      if (!text.ok()) {
        bundle.miss(file, text.error().message);
        continue;
      }
      bundle.add(concat("logs", file), tail(*text));
    }
  }
}

// Letters and digits of the time alone.
std::string default_name(Session& session) {
  std::string name = "netctl-bundle-";
  for (const char c : format_timestamp(session.io().wall_now())) {
    if (c != '-' && c != ':') name.push_back(c);
  }
  return name;
}

ExitCode write_bundle(Session& session, Bundle&& bundle, const std::string& path) {
  const std::size_t files = bundle.size() + 1, missed = bundle.missed();
  const std::string archive = std::move(bundle).finish();
  const auto packed = session.host().programs().run({.program = "gzip", .arguments = {"-n", "-c"}, .input = archive});
  if (!packed.ok() || !packed->is_success())
    return session.fail(
        Error{ErrorCode::kUnavailable, concat("gzip: ", packed.ok() ? packed->errors : packed.error().message)});
  const Status written = session.host().write_file(path, packed->output);
  if (!written.ok()) return session.fail(written.error());
  session.io().out(concat(path, ": ", files, " files, ", packed->output.size() / 1024, " KiB\n"));
  if (missed == 0) return ExitCode::kDone;
  session.io().warning(
      concat(missed, " thing", missed == 1 ? "" : "s", " could not be collected; manifest.json says which"));
  return ExitCode::kPartly;
}

}  // namespace

ExitCode run_support_bundle(Session& session) {
  const command::Invocation& invocation = session.invocation();
  const auto wait = command::parse_timeout(invocation.text("wait"));
  if (!wait.ok()) return session.usage(concat("--wait: ", wait.error().message));
  const std::string socket = invocation.is_given("socket") ? invocation.text("socket") : std::string(kAgentSocket);
  const bool has_agent = invocation.is_given("socket") || session.host().has_file(socket);
  const bool has_cluster = has_server(session);
  if (!has_agent && !has_cluster) {
    return session.fail(Error{ErrorCode::kUnavailable,
                              concat("neither an API server is configured nor is there an agent at ", socket)});
  }
  const std::string name = default_name(session);
  Bundle bundle(session, name);
  if (has_cluster) {
    add_cluster(session, bundle, *wait);
  } else {
    bundle.note("the cluster", "no API server is configured");
  }
  if (has_agent) {
    add_agent(session, bundle, socket);
    add_machine(session, bundle);
  } else {
    bundle.note("this machine", concat("there is no agent at ", socket));
  }
  return write_bundle(session, std::move(bundle),
                      invocation.is_given("output-file") ? invocation.text("output-file") : concat(name, ".tar.gz"));
}

}  // namespace margay::verbs
