// From files to objects that may be sent: read, parsed, placed in a namespace and checked, all of them before the first
// one is used.
#pragma once

#include <string>
#include <vector>

#include "ctl/render/item.h"
#include "ctl/verbs/document.h"
#include "ctl/verbs/session.h"

namespace margay::verbs {

struct Loaded {
  render::Item item;
  Origin origin;
};

enum class UnknownFields { kError, kWarning, kIgnored };

struct LoadOptions {
  UnknownFields unknown_fields = UnknownFields::kError;
  bool may_ask_server = true;  // for kinds that are not built in
  bool checks_content = true;  // false: only which objects are meant (get -f, delete -f)
  bool allows_generate_name = false;
  bool is_bound_to_namespace = true;  // by -n; false: it is only for objects that name none
};

// What -f and -R name. Nothing at all when any problem was found: the problems are then told, and the exit code is set.
struct Load {
  std::vector<Loaded> objects;
  command::ExitCode exit_code = command::ExitCode::kDone;
  [[nodiscard]] bool ok() const { return exit_code == command::ExitCode::kDone; }
};
Load load_files(Session& session, const LoadOptions& options);

// The --validate flag.
UnknownFields unknown_fields_of(const command::Invocation& invocation);

}  // namespace margay::verbs
