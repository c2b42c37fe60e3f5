// netctl lab exec, connect, matrix: programs in pods and nodes, and packets between them.
#include <algorithm>
#include <thread>

#include "base/core/text.h"
#include "ctl/lab/lab_session.h"
#include "ctl/lab/net_space.h"
#include "ctl/lab/probe.h"
#include "ctl/lab/wiring.h"
#include "ctl/verbs/colour.h"
#include "ctl/verbs/policy_output.h"

namespace margay::lab {
namespace {

using command::ExitCode;

// Longer than the second after which a lost SYN is sent again.
constexpr std::chrono::milliseconds kAskLimit{1500};
constexpr std::size_t kPodsMax = 1000;  // a matrix of a million cells

// The namespace of "ns/pod", "pod", "node/NAME" or "node/router".
Result<std::string> space_of(verbs::Session& session, const Paths& paths, const std::string& text) {
  const auto parts = split_once(text, '/');
  if (parts && parts->first == "node") {
    const std::string space = paths.space_of(parts->second);
    if (has_space(space)) return space;
    return Error{ErrorCode::kNotFound, concat("there is no node ", quoted(parts->second), " in this lab")};
  }
  MARGAY_ASSIGN_OR_RETURN(const std::vector<LabPod> pods, read_pods(session));
  const LabPod* const pod = find_pod(pods, text, session.name_space());
  if (pod == nullptr)
    return Error{ErrorCode::kNotFound, concat("there is no pod ", quoted(text), " (nodes are node/NAME)")};
  const std::string space = paths.space_of_pod(pod->name_space, pod->name);
  if (has_space(space)) return space;
  return Error{ErrorCode::kUnavailable, concat(pod->to_string(), " does not run yet; why is in ", paths.log("keeper"))};
}

Result<ServedPort> parse_port(std::string_view text) {
  const auto parts = split_once(text, '/');
  const auto number = parse_number<std::uint16_t>(parts ? parts->first : text);
  const std::string_view protocol = parts ? parts->second : std::string_view("TCP");
  const bool is_udp = protocol == "UDP" || protocol == "udp";
  if (!number || *number == 0 || (!is_udp && protocol != "TCP" && protocol != "tcp"))
    return invalid(concat(quoted(text), " is no port: 80, 80/TCP or 53/UDP is wanted"));
  return ServedPort{*number, is_udp};
}

struct Destination {
  IpAddress address;
  ServedPort port;
};

// "10.0.0.1:80", "[fd00::1]:53/UDP", "web:80", "shop/web", whose first port then counts.
Result<Destination> parse_destination(verbs::Session& session, const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const bool has_port = colon != std::string::npos && text.find(']', colon) == std::string::npos;
  std::string host = has_port ? text.substr(0, colon) : text;
  Destination out{};
  if (has_port) {
    MARGAY_ASSIGN_OR_RETURN(out.port, parse_port(std::string_view(text).substr(colon + 1)));
  }
  const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (const auto address = IpAddress::parse(is_bracketed ? host.substr(1, host.size() - 2) : host); address.ok()) {
    if (!has_port) return invalid(concat(quoted(text), ": an address needs a port: ", host, ":80"));
    out.address = *address;
    return out;
  }
  MARGAY_ASSIGN_OR_RETURN(const std::vector<LabPod> pods, read_pods(session));
  const LabPod* const pod = find_pod(pods, host, session.name_space());
  if (pod == nullptr) return Error{ErrorCode::kNotFound, concat("there is no pod ", quoted(host))};
  if (pod->addresses.empty()) return Error{ErrorCode::kUnavailable, concat(pod->to_string(), " has no address yet")};
  if (!has_port) out.port = pod->ports.front();
  out.address = pod->addresses.front();
  return out;
}

policy::Target target_of(const ServedPort& port) {
  return {port.is_udp ? model::kProtocolUdp : model::kProtocolTcp, model::PortOrName(PortRange(Port(port.number)))};
}

// All probes of one pod, in the order of the answers to fill.
struct Sender {
  std::string space;
  std::vector<ProbeTarget> targets;
  std::vector<std::size_t> cells;  // index in Matrix::answers; a pod of both families is asked over both
};

struct Plan {
  policy::Matrix matrix;
  std::vector<Sender> senders;
};

bool has_family_of(const LabPod& pod, const IpAddress& address) {
  return std::any_of(pod.addresses.begin(), pod.addresses.end(),
                     [&](const IpAddress& own) { return own.family() == address.family(); });
}

// Reached is what is reached over every family that both have.
void add_cell(const LabPod& from, const LabPod& to, const ServedPort& port, Sender& sender, policy::Matrix& matrix) {
  policy::Answered cell;
  cell.from = from.to_string();
  cell.to = to.to_string();
  cell.target = target_of(port);
  cell.verdict.answer = policy::Answer::kDeny;
  for (const IpAddress& address : to.addresses) {
    if (!has_family_of(from, address)) continue;
    cell.verdict.answer = policy::Answer::kAllow;
    sender.cells.push_back(matrix.answers.size());
    sender.targets.push_back({address, port});
  }
  matrix.answers.push_back(std::move(cell));
}

Plan plan_matrix(const Paths& paths, const std::vector<LabPod>& pods) {
  Plan plan;
  std::vector<ServedPort> ports;
  for (const LabPod& pod : pods) {
    plan.matrix.ends.push_back(
        {.name = pod.to_string(), .addresses = pod.addresses, .endpoint = nullptr, .node = pod.node});
    ports.insert(ports.end(), pod.ports.begin(), pod.ports.end());
  }
  std::sort(ports.begin(), ports.end());
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
  for (const ServedPort& port : ports) plan.matrix.targets.push_back(target_of(port));
  for (const LabPod& from : pods) {
    Sender sender{.space = paths.space_of_pod(from.name_space, from.name), .targets = {}, .cells = {}};
    for (const LabPod& to : pods) {
      if (&from == &to) continue;
      for (const ServedPort& port : to.ports) add_cell(from, to, port, sender, plan.matrix);
    }
    plan.senders.push_back(std::move(sender));
  }
  return plan;
}

// Each pod on a thread of its own: most of the time is waiting for what does not come.
Status probe(Plan& plan) {
  std::vector<Status> outcomes(plan.senders.size(), ok_status());
  std::vector<std::thread> threads;
  threads.reserve(plan.senders.size());
  for (std::size_t i = 0; i < plan.senders.size(); ++i) {
    threads.emplace_back([&plan, &outcomes, i] {
      const Sender& sender = plan.senders[i];
      const auto answers = probe_all(sender.space, sender.targets, kAskLimit);
      if (!answers.ok()) return void(outcomes[i] = answers.error());
      for (std::size_t k = 0; k < answers->size(); ++k) {
        policy::Answered& cell = plan.matrix.answers[sender.cells[k]];
        if ((*answers)[k].is_reached) continue;
        cell.verdict.answer = policy::Answer::kDeny;
        cell.note = concat(sender.targets[k].address.to_string(), ": ", (*answers)[k].why);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Status& outcome : outcomes) MARGAY_RETURN_IF_ERROR(outcome);
  return ok_status();
}

}  // namespace

ExitCode run_exec(verbs::Session& session, const Paths& paths) {
  std::vector<std::string> words = session.invocation().arguments;
  const auto space = space_of(session, paths, words.front());
  if (!space.ok()) return session.fail(space.error());
  words.erase(words.begin());
  const auto status = run_here(*space, words);
  if (!status.ok()) return session.fail(status.error());
  // What the program said is what counts, as with kubectl exec.
  return static_cast<ExitCode>(*status);
}

ExitCode run_connect(verbs::Session& session, const Paths& paths) {
  const std::vector<std::string>& words = session.invocation().arguments;
  const auto space = space_of(session, paths, words[0]);
  if (!space.ok()) return session.fail(space.error());
  const auto target = parse_destination(session, words[1]);
  if (!target.ok()) return session.fail(target.error());
  const auto answer = ask(*space, {target->address, target->port}, kAskLimit);
  if (!answer.ok()) return session.fail(answer.error());
  const bool has_colour = session.io().out_has_colour();
  const std::string verdict = answer->is_reached ? verbs::coloured("connected", verbs::kGreen, has_colour)
                                                 : verbs::coloured("not reached", verbs::kRed, has_colour);
  session.io().out(concat(words[0], " -> ", words[1], ": ", verdict, answer->is_reached ? "" : ": ",
                          answer->is_reached ? "" : answer->why,
                          answer->said.empty() ? "" : "; it says: ", answer->said, "\n"));
  return answer->is_reached ? ExitCode::kDone : ExitCode::kFailed;
}

ExitCode run_matrix(verbs::Session& session, const Paths& paths) {
  auto pods = read_pods(session);
  if (!pods.ok()) return session.fail(pods.error());
  std::erase_if(*pods, [](const LabPod& pod) {
    return pod.is_going || !pod.is_running || pod.is_host_networked || pod.addresses.empty();
  });
  if (pods->empty()) return session.fail(Error{ErrorCode::kNotFound, "no pod runs in this lab"});
  if (pods->size() > kPodsMax) return session.fail(invalid(concat("at most ", kPodsMax, " pods")));
  Plan plan = plan_matrix(paths, *pods);
  if (const Status probed = probe(plan); !probed.ok()) return session.fail(probed.error());
  if (session.invocation().text("output") == "json") {
    session.io().out(verbs::as_json(plan.matrix.answers));
  } else {
    session.io().out(verbs::as_grid(plan.matrix, {session.io().out_has_colour()}));
  }
  return ExitCode::kDone;
}

}  // namespace margay::lab
