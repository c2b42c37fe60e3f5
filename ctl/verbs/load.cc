#include "ctl/verbs/load.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "base/core/text.h"
#include "ctl/command/nearest.h"
#include "ctl/verbs/pools.h"
#include "ctl/verbs/rules.h"

namespace margay::verbs {
namespace {

using Kind = FieldError::Kind;

// Beyond this many, a file is not what it was meant to be.
constexpr std::size_t kProblemsMax = 100;

std::string kind_problem(const schema::Registry& registry, std::string_view api_version, std::string_view kind) {
  std::vector<std::string> kinds;
  for (const schema::ResourceInfo* resource : registry.all()) {
    if (equals_ignoring_case(resource->kind, kind)) {
      return concat("kind ", quoted(kind), " of ", quoted(api_version),
                    " is not known; write apiVersion: ", resource->api_version(), ", kind: ", resource->kind);
    }
    kinds.push_back(resource->kind);
  }
  const std::string meant = command::did_you_mean(kind, kinds);
  return concat("kind ", quoted(kind), " of ", quoted(api_version), " is not known",
                meant.empty() ? "; api-resources lists the kinds that are" : meant);
}

class Loader {
 public:
  Loader(Session& session, const LoadOptions& options) : session_(session), options_(options) {}

  Load run() {
    const command::Invocation& invocation = session_.invocation();
    const Sources sources = read_sources({invocation.texts("filename"), invocation.is_on("recursive")}, session_.io());
    for (const std::string& text : sources.problems) problem(text);
    Documents documents = parse_documents(sources.sources);
    for (const std::string& text : documents.problems) problem(text);
    for (Document& document : documents.documents) take(document);
    for (const std::string& text : warnings_) session_.io().warning(text);
    Load result;
    if (problem_count_ > 0) {
      result.exit_code = command::ExitCode::kFailed;
      tell_problems();
    } else {
      result.objects = std::move(objects_);
    }
    return result;
  }

 private:
  void problem(std::string text) {
    if (++problem_count_ <= kProblemsMax) problems_.push_back(std::move(text));
  }
  // What one stage has found fault with, the next need not judge: the rules would look at a field of a wrong type.
  void problem(const Document& document, const FieldError& error) {
    if (is_told(error.path)) return;
    problem(document.origin.describe(error));
    told_by_this_stage_.insert(error.path);
  }
  void next_stage() { told_.merge(told_by_this_stage_); }

  // The field itself, or one that it is part of.
  bool is_told(std::string_view path) const {
    while (!path.empty()) {
      if (told_.contains(path)) return true;
      const std::size_t cut = path.find_last_of(".[");
      path = path.substr(0, cut == std::string_view::npos ? 0 : cut);
    }
    return false;
  }
  void warning(const Document& document, const FieldError& error) {
    warnings_.push_back(document.origin.describe(error));
  }

  void tell_problems() {
    for (const std::string& text : problems_) session_.io().error(text);
    if (problem_count_ > problems_.size())
      session_.io().error(concat("and ", problem_count_ - problems_.size(), " more"));
  }

  void take(Document& document) {
    if (document.object.as_object() == nullptr) {
      return problem(document, {Kind::kTypeInvalid, "",
                                concat("found ", json::to_string(document.object.type()),
                                       ", an object with apiVersion, kind and metadata should be here")});
    }
    told_.clear();
    told_by_this_stage_.clear();
    if (const auto advice = advice_on_old_form(document.object)) {
      for (const FieldError& error : *advice) problem(document, error);
      return;
    }
    const schema::ResourceInfo* resource = kind_of(document);
    if (resource == nullptr) return;
    const std::size_t problems_before = problem_count_;
    set_name(document);
    set_namespace(document, *resource);
    if (options_.checks_content) check(document, *resource);
    if (problem_count_ != problems_before) return;
    warn_if_again(document, *resource);
    objects_.push_back({{resource, std::move(document.object)}, document.origin});
  }

  // Only the last of them would count.
  void warn_if_again(const Document& document, const schema::ResourceInfo& resource) {
    const kube::ObjectName name = name_in(resource, document.object);
    if (name.name.empty()) return;  // to be generated
    const auto [first, is_new] = places_.try_emplace({&resource, name}, document.origin.place(""));
    if (is_new) return;
    warning(document, {Kind::kDuplicate, "metadata.name",
                       concat(resource.kind, ' ', quoted(name.name), " is there twice, first at ", first->second)});
  }

  const schema::ResourceInfo* kind_of(const Document& document) {
    const std::string_view api_version = document.object.string_at({"apiVersion"});
    const std::string_view kind = document.object.string_at({"kind"});
    if (api_version.empty()) {
      problem(document, {Kind::kRequired, "", "apiVersion is missing, as in \"apiVersion: projectcalico.org/v3\""});
    }
    if (kind.empty()) problem(document, {Kind::kRequired, "", "kind is missing, as in \"kind: IPPool\""});
    if (api_version.empty() || kind.empty()) return nullptr;
    const schema::ResourceInfo* resource = session_.kind_of(api_version, kind, options_.may_ask_server);
    if (resource == nullptr) {
      problem(document, {Kind::kNotSupported, "kind", kind_problem(session_.registry(), api_version, kind)});
    }
    return resource;
  }

  void set_name(Document& document) {
    json::Value* metadata = document.object.find("metadata");
    if (metadata == nullptr || metadata->as_object() == nullptr) {
      return problem(document, {Kind::kRequired, "metadata", "is missing; it holds the object's name"});
    }
    json::Value* name = metadata->find("name");
    std::string* text = name == nullptr ? nullptr : name->as_string();
    if (name != nullptr && !name->is_null() && text == nullptr) {
      return problem(document, {Kind::kTypeInvalid, "metadata.name",
                                concat("found ", json::to_string(name->type()), " ", json::dump(*name),
                                       ", a string should be here: put it in quotes")});
    }
    const bool has_name = text != nullptr && !text->empty();
    const bool is_generated = options_.allows_generate_name && !metadata->string_at({"generateName"}).empty();
    if (!has_name && !is_generated) return problem(document, {Kind::kRequired, "metadata.name", "is missing"});
    if (has_name && has_upper_case(*text)) {
      const std::string lower = to_lower(*text);
      warning(document, {Kind::kInvalid, "metadata.name",
                         concat("names have no upper-case letters: ", *text, " is taken as ", lower)});
      *text = lower;
    }
  }

  void set_namespace(Document& document, const schema::ResourceInfo& resource) {
    json::Value* metadata = document.object.find("metadata");
    if (metadata == nullptr || metadata->as_object() == nullptr) return;
    const std::string own(metadata->string_at({"namespace"}));
    if (!resource.is_namespaced) {
      if (own.empty()) return;
      return problem(document, {Kind::kForbidden, "metadata.namespace", concat(resource.kind, " is in no namespace")});
    }
    if (own.empty()) {
      (*metadata)["namespace"] = session_.name_space();
    } else if (options_.is_bound_to_namespace && session_.invocation().is_given("namespace") &&
               own != session_.name_space()) {
      problem(document, {Kind::kInvalid, "metadata.namespace",
                         concat("found ", quoted(own), ", the command line says -n ", session_.name_space())});
    }
  }

  void check(Document& document, const schema::ResourceInfo& resource) {
    for (const FieldError& error : normalise(resource, document.object)) warning(document, error);
    next_stage();
    const schema::StructuralSchema& schema = session_.registry().schema(resource);
    if (options_.unknown_fields != UnknownFields::kIgnored) {
      for (const FieldError& error : schema.unknown_fields(document.object)) {
        options_.unknown_fields == UnknownFields::kError ? problem(document, error) : warning(document, error);
      }
    }
    // The rules first: they say what is wrong with a text where the schema can only show its pattern.
    for (const FieldError& error : check_rules(resource, document.object)) problem(document, error);
    next_stage();
    for (const FieldError& error : schema.validate(document.object)) problem(document, error);
    check_pool(document, resource);
  }

  void check_pool(const Document& document, const schema::ResourceInfo& resource) {
    const auto pool = as_pool(resource, document.object, document.origin.place(""));
    if (!pool) return;
    const std::string overlap = overlap_problem(*pool, pools_);
    if (!overlap.empty()) problem(document, {Kind::kInvalid, "spec.cidr", overlap});
    pools_.push_back(*pool);
  }

  Session& session_;
  const LoadOptions& options_;
  std::vector<Loaded> objects_;
  std::vector<std::string> problems_;
  std::vector<std::string> warnings_;
  std::vector<Pool> pools_;  // those before the object at hand
  // Of each object; looked up only, never walked.
  std::map<std::pair<const schema::ResourceInfo*, kube::ObjectName>, std::string> places_;
  std::set<std::string, std::less<>> told_;  // fields of the object at hand
  std::set<std::string, std::less<>> told_by_this_stage_;
  std::size_t problem_count_ = 0;
};

}  // namespace

Load load_files(Session& session, const LoadOptions& options) {
  Load load = Loader(session, options).run();
  if (!load.ok() || !load.objects.empty()) return load;
  const command::Invocation& invocation = session.invocation();
  const bool may_be_empty =
      command::find_flag(invocation.path, "skip-empty") != nullptr && invocation.is_on("skip-empty");
  if (may_be_empty) return load;
  std::vector<std::string> names = invocation.texts("filename");
  std::replace(names.begin(), names.end(), std::string("-"), std::string("<stdin>"));
  session.io().error(concat(join(names, ", "), ": no objects"));
  load.exit_code = command::ExitCode::kFailed;
  return load;
}

UnknownFields unknown_fields_of(const command::Invocation& invocation) {
  const std::string mode = invocation.text("validate");
  if (mode == "warn") return UnknownFields::kWarning;
  return mode == "ignore" || mode == "false" ? UnknownFields::kIgnored : UnknownFields::kError;
}

}  // namespace margay::verbs
