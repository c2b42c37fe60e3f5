#include "ctl/verbs/flag_values.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/core/text.h"
#include "base/ip/node_name.h"
#include "ctl/render/renderer.h"
#include "ctl/render/sort.h"
#include "ctl/verbs/source.h"
#include "datastore/kube/config.h"
#include "datastore/selector/field_selector.h"
#include "datastore/selector/label_selector.h"

namespace margay::verbs {
namespace {

template <class T>
Status status_of(const Result<T>& parsed) {
  return parsed.ok() ? ok_status() : Status(parsed.error());
}

Status check_servers(const std::string& value) { return status_of(kube::parse_servers(value)); }

// What a header can carry (RFC 6750 section 2.1 allows less).
Status check_token(const std::string& value) {
  const bool is_plain = std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  return is_plain ? ok_status() : Status(invalid("a token has no blanks, control characters or letters beyond ASCII"));
}

Status check_namespace(const std::string& value) {
  if (is_dns1123_label(value)) return ok_status();
  return invalid(concat(quoted(value), " is no name of a namespace: lower-case letters, digits and '-', at most ",
                        kDns1123LabelSizeMax));
}

Status check_label_selector(const std::string& value) { return status_of(selector::LabelSelector::parse(value)); }
Status check_field_selector(const std::string& value) { return status_of(selector::FieldSelector::parse(value)); }

Status check_sort(const std::string& value) {
  render::Items none;
  return render::sort_by_path(none, value);
}

Status check_output(const std::string& value) {
  MARGAY_ASSIGN_OR_RETURN(const render::Format format, render::parse_format(value, read_whole_file));
  return status_of(render::make_renderer(format, {}));
}

struct Check {
  std::string_view flag;
  Status (*check)(const std::string& value);
};

constexpr Check kChecks[] = {
    {"server", check_servers},
    {"token", check_token},
    {"namespace", check_namespace},
    {"selector", check_label_selector},
    {"field-selector", check_field_selector},
    {"sort-by", check_sort},
    {"output", check_output},
};

bool has(const command::Invocation& invocation, std::string_view name) {
  const command::Flag* flag = command::find_flag(invocation.path, name);
  // Of the others the parser knows all values.
  return flag != nullptr && flag->kind == command::ValueKind::kText && invocation.is_given(name);
}

// Where a file may be named as well, the verb knows what is meant.
bool may_be_file(const command::Invocation& invocation, std::string_view name) {
  return command::find_flag(invocation.path, name)->candidates == command::Candidates::kFiles;
}

}  // namespace

Status check_flag_values(const command::Invocation& invocation) {
  for (const Check& check : kChecks) {
    if (!has(invocation, check.flag) || may_be_file(invocation, check.flag)) continue;
    if (Status checked = check.check(invocation.text(check.flag)); !checked.ok())
      return invalid(concat("flag --", check.flag, ": ", checked.error().message));
  }
  if (has(invocation, "client-certificate") != has(invocation, "client-key"))
    return invalid("--client-certificate and --client-key belong together: give both");
  return ok_status();
}

}  // namespace margay::verbs
