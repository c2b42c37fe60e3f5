// What policy eval and policy lint look at: the objects of -f, checked as `validate` does, or those of the server.
#pragma once

#include <optional>

#include "ctl/verbs/session.h"
#include "policy/question/cluster.h"

namespace margay::verbs {

// Fills the world. An exit code when that failed, which has been told then.
std::optional<command::ExitCode> load_world(Session& session, policy::World& world);

// Warnings on standard error: what does not count, and why.
void tell_notes(Session& session, const policy::Cluster& cluster);

}  // namespace margay::verbs
