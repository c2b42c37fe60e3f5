// What needs looking up for completion. Whatever goes wrong here, the shell gets fewer candidates and no message.
#include <algorithm>

#include "base/core/text.h"
#include "ctl/command/complete.h"
#include "ctl/verbs/verbs.h"
#include "datastore/schema/node.h"

namespace margay::verbs {
namespace {

using command::Candidate;
using command::Candidates;
using command::Completion;
using command::ExitCode;

std::vector<Candidate> kinds(const schema::Registry& registry) {
  std::vector<Candidate> found;
  for (const schema::ResourceInfo* resource : registry.all()) {
    const bool is_taken = registry.by_any_name(resource->plural) != resource;
    std::string name = is_taken ? concat(resource->plural, '.', resource->group) : resource->plural;
    // Of several versions the one that the name means.
    if (registry.by_any_name(name) == resource) found.push_back({std::move(name), resource->kind});
  }
  return found;
}

std::vector<Candidate> names(Session& session, const schema::ResourceInfo* resource) {
  constexpr std::int64_t kNamesMax = 1000;
  const auto api = session.api();
  if (resource == nullptr || !api.ok()) return {};
  kube::ListOptions options;
  options.limit = kNamesMax;
  const auto listed = (*api)->list(*resource, resource->is_namespaced ? session.name_space() : "", options);
  if (!listed.ok()) return {};
  std::vector<Candidate> found;
  for (const json::Value& object : listed->items)
    found.push_back({std::string(object.string_at({"metadata", "name"})), ""});
  return found;
}

std::vector<Candidate> contexts(Session& session) {
  std::vector<Candidate> found;
  for (const std::string& context : session.server().contexts()) found.push_back({context, ""});
  return found;
}

// `path`: "ippool.spec".
std::vector<Candidate> fields(const schema::Registry& registry, std::string_view path) {
  const auto parts = split_once(path, '.');
  const schema::ResourceInfo* resource = registry.by_any_name(parts ? parts->first : path);
  if (resource == nullptr) return {};
  const schema::SchemaNode* node = registry.schema(*resource).at(parts ? parts->second : "");
  while (node != nullptr && node->items != nullptr) node = node->items.get();
  if (node == nullptr) return {};
  std::vector<Candidate> found;
  for (const auto& [name, member] : node->properties) found.push_back({name, member->description});
  return found;
}

std::vector<Candidate> looked_up(Session& session, const Completion& completion) {
  schema::Registry& registry = session.registry();
  switch (completion.wanted) {
    case Candidates::kKinds: return kinds(registry);
    case Candidates::kObjects: return names(session, registry.by_any_name(completion.kind));
    case Candidates::kNamespaces: return names(session, registry.by_kind("v1", "Namespace"));
    case Candidates::kContexts: return contexts(session);
    case Candidates::kFieldPaths: return fields(registry, completion.kind);
    case Candidates::kNone:
    case Candidates::kWords:
    case Candidates::kFiles:
    case Candidates::kOutputs:
    case Candidates::kCommands: return {};
  }
  return {};
}

}  // namespace

ExitCode run_complete(Session& session, const Completion& completion) {
  std::vector<Candidate> candidates = completion.candidates;
  const auto found = command::matching(looked_up(session, completion), completion.kept, completion.prefix);
  candidates.insert(candidates.end(), found.begin(), found.end());
  session.io().out(command::completion_lines(candidates, completion.wanted == Candidates::kFiles));
  return ExitCode::kDone;
}

}  // namespace margay::verbs
