// The objects that KIND NAME…, -l, --all or -f choose, for delete and label.
#pragma once

#include <string>
#include <vector>

#include "ctl/render/item.h"
#include "ctl/verbs/report.h"
#include "ctl/verbs/session.h"

namespace margay::verbs {

struct Chosen {
  const schema::ResourceInfo* resource = nullptr;
  kube::ObjectName name;
};

// A stand-in for messages: an object that is named but was not read.
render::Item item_named(const Chosen& chosen);

// An error of usage: nothing, or too much, says which objects are meant.
Status check_choice(const Session& session, const std::vector<Target>& targets);

// After check_choice(). By name without asking the server, by label or --all by listing; a kind that cannot be listed
// is reported as failed.
std::vector<Chosen> choose(Session& session, Api& api, const std::vector<Target>& targets, Report& report);

}  // namespace margay::verbs
