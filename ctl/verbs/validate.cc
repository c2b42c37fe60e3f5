#include "base/core/text.h"
#include "ctl/verbs/verbs.h"
#include "ctl/verbs/write.h"

namespace margay::verbs {

command::ExitCode run_validate(Session& session) {
  if (const auto code = check_files_given(session)) return *code;
  const Load load = load_files(session, {.may_ask_server = false, .allows_generate_name = true});
  if (!load.ok() || load.objects.empty()) return load.exit_code;
  session.io().out(concat("Successfully validated ", load.objects.size(), " resource(s)\n"));
  return command::ExitCode::kDone;
}

}  // namespace margay::verbs
