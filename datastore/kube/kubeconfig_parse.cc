// The text of a kubeconfig file as Kubeconfig.
#include <optional>
#include <utility>

#include "base/core/text.h"
#include "base/json/yaml.h"
#include "datastore/kube/kubeconfig.h"

namespace margay::kube {
namespace {

// Reads members of one document and keeps the first error, with its place.
class Reader {
 public:
  Reader(const json::YamlDocument& document, std::string_view path) : document_(document), path_(path) {}

  std::string string(const json::Value& parent, const std::string& place, std::string_view name) {
    const json::Value* value = parent.find(name);
    if (value == nullptr || value->is_null()) return {};
    if (const std::string* text = value->as_string()) return *text;
    fail(concat(place, ".", name), concat("expected a string, found a value of type ", json::to_string(value->type())));
    return {};
  }

  bool boolean(const json::Value& parent, const std::string& place, std::string_view name) {
    const json::Value* value = parent.find(name);
    if (value == nullptr || value->is_null()) return false;
    if (const bool* flag = value->as_bool()) return *flag;
    fail(concat(place, ".", name),
         concat("expected true or false, found a value of type ", json::to_string(value->type())));
    return false;
  }

  // A file name, made absolute if the kubeconfig's own path is.
  std::string file(const json::Value& parent, const std::string& place, std::string_view name) {
    std::string found = string(parent, place, name);
    const std::size_t slash = path_.rfind('/');
    if (found.empty() || found.starts_with('/') || slash == std::string_view::npos) return found;
    return concat(path_.substr(0, slash + 1), found);
  }

  PemSource pem(const json::Value& parent, const std::string& place, std::string_view name) {
    return {.data = string(parent, place, concat(name, "-data")), .file = file(parent, place, name)};
  }

  // Calls `take(name, body, place)` for each entry of a list such as "clusters" with its "cluster".
  template <class Take>
  void entries(std::string_view list_name, std::string_view body_name, Take take) {
    const json::Value* list = document_.value.find(list_name);
    if (list == nullptr || list->is_null()) return;
    if (list->as_array() == nullptr) return fail(std::string(list_name), "expected a list");
    const json::Value nothing = json::Object{};
    for (std::size_t i = 0; i < list->as_array()->size(); ++i) {
      const json::Value& entry = (*list->as_array())[i];
      const std::string place = concat(list_name, "[", i, "]");
      if (entry.as_object() == nullptr) return fail(place, concat("expected name and ", body_name));
      const std::string name = string(entry, place, "name");
      if (name.empty()) return fail(place, "has no name");
      const json::Value* body = entry.find(body_name);
      if (body == nullptr || body->is_null()) body = &nothing;
      if (body->as_object() == nullptr) return fail(concat(place, ".", body_name), "expected members");
      take(name, *body, concat(place, ".", body_name));
    }
  }

  void fail(const std::string& place, std::string_view what) {
    if (error_) return;
    const auto position = document_.positions.find(place);
    const std::string line =
        position == document_.positions.end() ? std::string() : concat("line ", position->second.line, ": ");
    error_ = invalid(concat(path_, ": ", line, place, ": ", what));
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  const json::YamlDocument& document_;
  std::string_view path_;
  std::optional<Error> error_;
};

bool is_given(const json::Value& parent, std::string_view name) {
  const json::Value* value = parent.find(name);
  if (value == nullptr || value->is_null()) return false;
  return value->as_string() == nullptr || !value->as_string()->empty();
}

KubeconfigCluster read_cluster(Reader& reader, const json::Value& body, const std::string& place) {
  KubeconfigCluster cluster;
  cluster.server = reader.string(body, place, "server");
  cluster.tls_server_name = reader.string(body, place, "tls-server-name");
  cluster.insecure_skip_tls_verify = reader.boolean(body, place, "insecure-skip-tls-verify");
  cluster.ca = reader.pem(body, place, "certificate-authority");
  if (is_given(body, "proxy-url")) {
    cluster.refusal = "proxy-url is not supported: name a server that can be reached directly";
  }
  return cluster;
}

std::string refusal_of_user(const json::Value& body) {
  if (is_given(body, "exec")) {
    return "exec plug-ins are not supported: use a token, a tokenFile or a client certificate";
  }
  if (is_given(body, "auth-provider")) {
    return "auth-provider is not supported: use a token, a tokenFile or a client certificate";
  }
  if (is_given(body, "username") || is_given(body, "password")) {
    return "username and password are not supported (Kubernetes removed them in 1.19): use a token or a client "
           "certificate";
  }
  for (const std::string_view name : {"as", "as-uid", "as-groups", "as-user-extra"}) {
    if (is_given(body, name)) return concat(name, ": impersonation is not supported");
  }
  return {};
}

KubeconfigUser read_user(Reader& reader, const json::Value& body, const std::string& place) {
  KubeconfigUser user;
  user.certificate = reader.pem(body, place, "client-certificate");
  user.key = reader.pem(body, place, "client-key");
  user.token = reader.string(body, place, "token");
  user.token_file = reader.file(body, place, "tokenFile");
  user.refusal = refusal_of_user(body);
  return user;
}

KubeconfigContext read_context(Reader& reader, const json::Value& body, const std::string& place) {
  return {.cluster = reader.string(body, place, "cluster"),
          .user = reader.string(body, place, "user"),
          .name_space = reader.string(body, place, "namespace")};
}

}  // namespace

Result<Kubeconfig> Kubeconfig::parse(std::string_view text, std::string_view path) {
  auto documents = json::parse_yaml(text);
  if (!documents.ok()) return std::move(documents).error().within(path);
  Kubeconfig config;
  config.paths.emplace_back(path);
  if (documents->empty()) return config;  // kubectl takes an empty file for an empty configuration
  if (documents->size() > 1) return invalid(concat(path, ": holds more than one document"));
  const json::YamlDocument& document = documents->front();
  if (document.value.as_object() == nullptr) return invalid(concat(path, ": is not a kubeconfig"));

  Reader reader(document, path);
  const std::string kind = reader.string(document.value, "", "kind");
  if (!kind.empty() && kind != "Config") reader.fail("kind", concat("expected Config, found ", quoted(kind)));
  config.current_context = reader.string(document.value, "", "current-context");
  // The first entry of a name wins, as among files.
  reader.entries("clusters", "cluster", [&](const auto& name, const auto& body, const auto& place) {
    config.clusters.try_emplace(name, read_cluster(reader, body, place));
  });
  reader.entries("users", "user", [&](const auto& name, const auto& body, const auto& place) {
    config.users.try_emplace(name, read_user(reader, body, place));
  });
  reader.entries("contexts", "context", [&](const auto& name, const auto& body, const auto& place) {
    config.contexts.try_emplace(name, read_context(reader, body, place));
  });
  if (reader.error()) return *reader.error();
  return config;
}

}  // namespace margay::kube
