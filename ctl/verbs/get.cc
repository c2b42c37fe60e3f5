#include <algorithm>
#include <optional>

#include "base/core/text.h"
#include "ctl/render/clean.h"
#include "ctl/render/renderer.h"
#include "ctl/render/sort.h"
#include "ctl/verbs/load.h"
#include "ctl/verbs/source.h"
#include "ctl/verbs/verbs.h"
#include "ctl/verbs/watch.h"

namespace margay::verbs {
namespace {

using command::ExitCode;
using render::FormatKind;
using render::Item;
using render::Items;
using schema::ResourceInfo;

// One request: objects by name, or all of a kind that match.
struct Wanted {
  const ResourceInfo* resource = nullptr;
  std::string name_space;          // "": all, or none
  std::vector<std::string> names;  // empty: list
};

class Getter {
 public:
  Getter(Session& session, Api& api, std::vector<Wanted> wanted, render::Format format)
      : session_(session), api_(api), wanted_(std::move(wanted)), format_(std::move(format)) {}

  ExitCode run() {
    for (const Wanted& wanted : wanted_) wanted.names.empty() ? list(wanted) : get(wanted);
    if (is_on("sort-by")) {
      const Status sorted = render::sort_by_path(items_, session_.invocation().text("sort-by"));
      if (!sorted.ok()) return session_.usage(sorted.error().message);
    } else {
      render::sort_tiers(items_);
    }
    const WatchRequest request = watch_request();
    for (Item& item : items_) clean(item.object);
    const bool watches = is_on("watch") || is_on("watch-only");
    const auto renderer = render::make_renderer(format_, render_options(watches));
    if (!renderer.ok()) return session_.usage(renderer.error().message);
    if (!is_on("watch-only")) {
      const ExitCode shown = show(**renderer, watches);
      if (shown != ExitCode::kDone) return shown;
    }
    if (watches && !has_failed_) return watch(**renderer, request);
    return exit_code();
  }

 private:
  bool is_on(std::string_view flag) const {
    return flag == "sort-by" ? session_.invocation().is_given(flag) : session_.invocation().is_on(flag);
  }

  void list(const Wanted& wanted) {
    auto listed = api_.list(*wanted.resource, wanted.name_space, list_options());
    if (!listed.ok()) return failed(wanted.resource->plural, listed.error());
    for (json::Value& object : listed->items) {
      with_kind(object, *wanted.resource);
      items_.push_back({wanted.resource, std::move(object)});
    }
    resource_version_ = listed->resource_version;
    has_listed_ = true;
  }

  void get(const Wanted& wanted) {
    for (const std::string& name : wanted.names) {
      auto object = api_.get(*wanted.resource, {wanted.name_space, name});
      if (object.ok()) {
        items_.push_back({wanted.resource, *std::move(object)});
        continue;
      }
      const bool is_absent = object.error().code == ErrorCode::kNotFound;
      if (is_absent && is_on("ignore-not-found")) continue;
      failed(concat(wanted.resource->singular, '/', name), object.error());
    }
  }

  // Servers leave both out of the items of a list.
  static void with_kind(json::Value& object, const ResourceInfo& resource) {
    if (object.find("kind") != nullptr || object.as_object() == nullptr) return;
    json::Object whole{{"apiVersion", resource.api_version()}, {"kind", resource.kind}};
    for (json::Member& member : *object.as_object()) whole[member.name] = std::move(member.value);
    object = std::move(whole);
  }

  void failed(std::string_view what, const kube::ApiError& error) {
    session_.fail(what, error);
    has_failed_ = true;
    all_not_found_ = all_not_found_ && error.code == ErrorCode::kNotFound;
  }

  void clean(json::Value& object) const {
    is_on("export") ? render::strip_server_fields(object) : render::strip_managed_fields(object);
  }

  kube::ListOptions list_options() const {
    kube::ListOptions options;
    options.label_selector = session_.invocation().text("selector");
    options.field_selector = session_.invocation().text("field-selector");
    return options;
  }

  render::Options render_options(bool watches) {
    render::Options options;
    options.as_list = has_listed_ || items_.size() != 1 || is_named_more_than_once();
    options.with_namespace = is_on("all-namespaces") || session_.invocation().is_given("namespace");
    options.with_kind = wanted_.size() > 1;
    options.with_labels = is_on("show-labels");
    options.no_headers = is_on("no-headers");
    options.bold_headers = session_.io().out_has_colour();
    options.now = session_.io().wall_now();
    if (watches && format_.kind != FormatKind::kTable) options.as_list = false;
    if (format_.kind == FormatKind::kWide) options.global_as_number = global_as_number();
    return options;
  }

  // `get x a b` is a list also when only one of them is there.
  bool is_named_more_than_once() const { return wanted_.size() > 1 || wanted_.front().names.size() > 1; }

  // What nodes without a number of their own have; asked for only when nodes are shown.
  std::string global_as_number() {
    constexpr std::string_view kDefault = "64512";
    const ResourceInfo* configurations = session_.registry().by_any_name("bgpconfigurations.projectcalico.org");
    const bool has_nodes = std::any_of(wanted_.begin(), wanted_.end(), [](const Wanted& wanted) {
      return wanted.resource->kind == "Node" && wanted.resource->group.empty();
    });
    if (!has_nodes || configurations == nullptr) return std::string(kDefault);
    const auto object = api_.get(*configurations, {"", "default"});
    const json::Value* number = object.ok() ? object->find({"spec", "asNumber"}) : nullptr;
    return number == nullptr ? std::string(kDefault) : json::dump(*number);
  }

  ExitCode show(render::Renderer& renderer, bool watches) {
    const bool is_text = format_.kind == FormatKind::kTable || format_.kind == FormatKind::kWide;
    if (items_.empty() && is_text && !has_failed_ && !watches) {
      session_.io().message(concat("No resources found", where(), ".\n"));
      return ExitCode::kDone;
    }
    if (items_.empty() && (has_failed_ || watches)) return ExitCode::kDone;
    if (!watches || is_text) return put(renderer.all(items_));
    for (const Item& item : items_) {
      if (const ExitCode code = put(renderer.next(item)); code != ExitCode::kDone) return code;
    }
    return ExitCode::kDone;
  }

  // Whoever looks in the wrong namespace must see that.
  std::string where() const {
    const std::string& first = wanted_.front().name_space;
    const auto is_there = [&](const Wanted& wanted) { return wanted.name_space == first; };
    const bool is_one = !first.empty() && std::all_of(wanted_.begin(), wanted_.end(), is_there);
    return is_one ? concat(" in namespace ", first) : std::string();
  }

  ExitCode put(const Result<std::string>& text) {
    if (!text.ok()) return session_.fail(text.error());
    session_.io().out(*text);
    return ExitCode::kDone;
  }

  // With the versions of the objects, which --export takes out of what is shown.
  WatchRequest watch_request() const {
    const Wanted& wanted = wanted_.front();
    WatchRequest request{wanted.resource, wanted.name_space, list_options(), resource_version_, {}};
    if (!wanted.names.empty()) request.options.field_selector = concat("metadata.name=", wanted.names.front());
    if (!wanted.names.empty() && !items_.empty()) {
      request.resource_version = items_.front().object.string_at({"metadata", "resourceVersion"});
    }
    for (const Item& item : items_) request.shown.push_back(item.object);
    return request;
  }

  ExitCode watch(render::Renderer& renderer, const WatchRequest& request) {
    const Wanted& wanted = wanted_.front();
    return watch_changes(session_, api_, request, [&](json::Value object) {
      with_kind(object, *wanted.resource);
      clean(object);
      const auto text = renderer.next({wanted.resource, std::move(object)});
      return text.ok() && session_.io().out(*text);
    });
  }

  ExitCode exit_code() const {
    if (!has_failed_) return ExitCode::kDone;
    if (!items_.empty()) return ExitCode::kPartly;
    return all_not_found_ ? ExitCode::kNotFound : ExitCode::kFailed;
  }

  Session& session_;
  Api& api_;
  std::vector<Wanted> wanted_;
  render::Format format_;
  Items items_;
  std::string resource_version_;
  bool has_listed_ = false;
  bool has_failed_ = false;
  bool all_not_found_ = true;
};

// What KIND NAME… or -f mean; the exit code is the user's answer when they mean nothing.
struct Meaning {
  std::vector<Wanted> wanted;
  std::optional<ExitCode> exit_code;
};

Meaning from_files(Session& session) {
  const Load load = load_files(session, {.checks_content = false});
  if (!load.ok()) return {{}, load.exit_code};
  Meaning meaning;
  for (const Loaded& loaded : load.objects) {
    const kube::ObjectName name = name_in(*loaded.item.resource, loaded.item.object);
    meaning.wanted.push_back({loaded.item.resource, name.name_space, {name.name}});
  }
  return meaning;
}

Meaning from_words(Session& session) {
  const command::Invocation& invocation = session.invocation();
  const auto targets = session.targets(invocation.arguments);
  if (!targets.ok()) return {{}, session.usage(targets.error().message)};
  const bool all_namespaces = invocation.is_on("all-namespaces");
  Meaning meaning;
  for (const Target& target : *targets) {
    const bool chooses = invocation.is_given("selector") || invocation.is_given("field-selector");
    if (!target.names.empty() && chooses) return {{}, session.usage("give NAME or a selector, not both")};
    if (!target.names.empty() && all_namespaces)
      return {{}, session.usage("an object is in one namespace: -n, not -A")};
    const bool has_namespace = target.resource->is_namespaced && !all_namespaces;
    meaning.wanted.push_back({target.resource, has_namespace ? session.name_space() : "", target.names});
  }
  return meaning;
}

}  // namespace

ExitCode run_get(Session& session) {
  const command::Invocation& invocation = session.invocation();
  const auto format = render::parse_format(invocation.text("output"), read_whole_file);
  if (!format.ok()) return session.usage(format.error().message);
  const bool from_file = invocation.is_given("filename");
  const bool chooses = invocation.is_given("selector") || invocation.is_given("field-selector");
  const bool all_namespaces = invocation.is_on("all-namespaces");
  if (from_file && (!invocation.arguments.empty() || chooses || all_namespaces))
    return session.usage("give KIND or -f FILE, not both; a file names its objects itself");
  if (all_namespaces && invocation.is_given("namespace")) return session.usage("give -n or -A, not both");
  Meaning meaning = from_file ? from_files(session) : from_words(session);
  if (meaning.exit_code) return *meaning.exit_code;
  const bool watches = invocation.is_on("watch") || invocation.is_on("watch-only");
  if (watches && (meaning.wanted.size() != 1 || meaning.wanted.front().names.size() > 1)) {
    return session.usage("--watch shows one kind, or one object");
  }
  const auto api = session.api();
  if (!api.ok()) return session.fail(api.error());
  return Getter(session, **api, std::move(meaning.wanted), *format).run();
}

}  // namespace margay::verbs
