// policy eval: one question or a matrix, from files or a cluster.
#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "ctl/verbs/policy_output.h"
#include "ctl/verbs/policy_world.h"
#include "ctl/verbs/verbs.h"
#include "policy/question/question.h"

namespace margay::verbs {
namespace {

using command::ExitCode;
using command::Invocation;

struct Asked {
  bool is_matrix = false;
  std::string from;
  std::string to;
  std::vector<policy::Target> targets;  // of a matrix; one of a question
  std::vector<IpAddress> included;
};

// The values of a flag that may be repeated and may hold several with commas.
std::vector<std::string> pieces_of(const Invocation& invocation, std::string_view flag) {
  std::vector<std::string> out;
  for (const std::string& text : invocation.texts(flag)) {
    for (const std::string_view piece : split(text, ',')) out.emplace_back(trim(piece));
  }
  return out;
}

Result<Asked> matrix_of(const Invocation& invocation) {
  for (const std::string_view flag : {"from", "to", "port", "protocol"}) {
    if (invocation.is_given(flag)) return invalid(concat("--matrix asks every pair: --", flag, " is for one question"));
  }
  Asked out{.is_matrix = true, .from = {}, .to = {}, .targets = {}, .included = {}};
  for (const std::string& piece : pieces_of(invocation, "ports")) {
    const auto target = policy::Target::parse(piece);
    if (!target.ok()) return target.error().within("--ports");
    out.targets.push_back(*target);
  }
  for (const std::string& piece : pieces_of(invocation, "include-ip")) {
    const auto address = IpAddress::parse(piece);
    if (!address.ok()) return address.error().within("--include-ip");
    out.included.push_back(*address);
  }
  return out;
}

Result<Asked> question_of(const Invocation& invocation) {
  for (const std::string_view flag : {"ports", "include-ip"}) {
    if (invocation.is_given(flag)) return invalid(concat("--", flag, " needs --matrix"));
  }
  std::vector<std::string> missing;
  for (const std::string_view flag : {"from", "to"}) {
    if (!invocation.is_given(flag)) missing.push_back(concat("--", flag));
  }
  if (!missing.empty()) {
    return invalid(concat(join(missing, " and "), " missing: a question is --from A --to B --port N, or --matrix"));
  }
  const bool has_port = invocation.is_given("port");
  const auto target = policy::Target::of(invocation.text("protocol"), has_port ? invocation.text("port") : "");
  const bool is_port_missing = !has_port && policy::Target::of(invocation.text("protocol"), "1").ok();
  if (!target.ok()) return is_port_missing ? target.error().within("--port missing") : target.error();
  return Asked{.is_matrix = false,
               .from = invocation.text("from"),
               .to = invocation.text("to"),
               .targets = {*target},
               .included = {}};
}

Result<policy::Matrix> answer(Session& session, const policy::Cluster& cluster, const Asked& asked) {
  if (asked.is_matrix) return policy::ask_matrix(cluster, asked.targets, asked.included);
  const std::string name_space = session.name_space();
  MARGAY_ASSIGN_OR_RETURN(policy::End from, policy::find_end(cluster, asked.from, name_space));
  MARGAY_ASSIGN_OR_RETURN(policy::End to, policy::find_end(cluster, asked.to, name_space));
  MARGAY_ASSIGN_OR_RETURN(policy::Answered answered, policy::ask(cluster, from, to, asked.targets.front()));
  policy::Matrix out;
  out.answers.push_back(std::move(answered));
  return out;
}

std::string report_of(const std::vector<policy::Answered>& answers, policy::Answer expected) {
  std::vector<JunitCase> cases;
  for (const policy::Answered& answer : answers) {
    const bool is_right = answer.verdict.answer == expected;
    cases.push_back({.group = concat(answer.from, " to ", answer.to),
                     .name = answer.target.to_string(),
                     .failure = is_right ? "" : concat(word_of(answer.verdict.answer), " by ", reason_of(answer))});
  }
  return as_junit("netctl policy eval", cases);
}

std::string shown(const Invocation& invocation, const policy::Matrix& matrix, policy::Answer expected, bool colour) {
  const std::string output = invocation.text("output");
  if (output == "json") return as_json(matrix.answers);
  if (output == "junit") return report_of(matrix.answers, expected);
  return invocation.is_on("matrix") ? as_grid(matrix, {colour}) : as_text(matrix.answers.front(), {colour});
}

}  // namespace

ExitCode run_policy_eval(Session& session) {
  const Invocation& invocation = session.invocation();
  const auto asked = invocation.is_on("matrix") ? matrix_of(invocation) : question_of(invocation);
  if (!asked.ok()) return session.usage(asked.error().message);
  policy::World world;
  if (const auto code = load_world(session, world)) return *code;
  const policy::Cluster cluster(world);
  tell_notes(session, cluster);
  const auto matrix = answer(session, cluster, *asked);
  if (!matrix.ok()) return session.fail(matrix.error());
  const bool expects = invocation.is_given("expect");
  const policy::Answer expected =
      expects && invocation.text("expect") == "deny" ? policy::Answer::kDeny : policy::Answer::kAllow;
  session.io().out(shown(invocation, *matrix, expected, session.io().out_has_colour()));
  const bool is_met = std::all_of(matrix->answers.begin(), matrix->answers.end(),
                                  [expected](const auto& each) { return each.verdict.answer == expected; });
  return expects && !is_met ? ExitCode::kFailed : ExitCode::kDone;
}

}  // namespace margay::verbs
