#include "datastore/kube/kubeconfig.h"

#include <gtest/gtest.h>

#include "base/core/base64.h"
#include "base/core/text.h"

namespace margay::kube {
namespace {

constexpr const char* kPem = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";
constexpr const char* kPemBase64 = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCngKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=";

Result<std::string> files(const std::string& path) {
  if (path == "/etc/k/ca.crt" || path == "/etc/k/c.crt" || path == "/abs/c.key") return std::string(kPem);
  if (path == "/etc/k/garbage") return std::string("garbage");
  return Error{ErrorCode::kNotFound, path + ": No such file or directory"};
}

Result<ConnectionConfig> resolve(std::string_view text, std::string_view context = "") {
  MARGAY_ASSIGN_OR_RETURN(const Kubeconfig config, Kubeconfig::parse(text, "/etc/k/config"));
  return config.resolve(context, files);
}

// One context "c" with this cluster and user, in YAML's short form.
std::string one(std::string_view cluster, std::string_view user) {
  return concat(
      "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nclusters: [{name: k, cluster: {",
      cluster, "}}]\nusers: [{name: u, user: {", user, "}}]\n");
}

TEST(Kubeconfig, AsKindWritesIt) {
  const std::string text = concat(R"(apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: )",
                                  kPemBase64, R"(
    server: https://127.0.0.1:43211
  name: kind-a
contexts:
- context:
    cluster: kind-a
    user: kind-a
  name: kind-a
current-context: kind-a
kind: Config
preferences: {}
users:
- name: kind-a
  user:
    client-certificate-data: )",
                                  kPemBase64, R"(
    client-key-data: )",
                                  kPemBase64, "\n");
  const auto config = resolve(text);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->servers[0].to_string(), "https://127.0.0.1:43211");
  EXPECT_EQ(config->tls.ca_pem, kPem);
  EXPECT_EQ(config->tls.certificate_pem, kPem);
  EXPECT_EQ(config->tls.key_pem, kPem);
  EXPECT_EQ(config->default_namespace, "default");
  EXPECT_EQ(config->origin, "context kind-a of /etc/k/config");
}

TEST(Kubeconfig, JsonIsAccepted) {
  const auto config =
      resolve(R"({"current-context":"c","contexts":[{"name":"c","context":{"cluster":"k","namespace":"n"}}],
      "clusters":[{"name":"k","cluster":{"server":"unix:///run/margay.sock"}}]})");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->servers[0].to_string(), "unix:///run/margay.sock");
  EXPECT_EQ(config->default_namespace, "n");
  EXPECT_EQ(config->token, "");
}

TEST(Kubeconfig, FilesAreRelativeToTheKubeconfig) {
  const auto config = resolve(one("server: 'https://a', certificate-authority: ca.crt, tls-server-name: b",
                                  "client-certificate: c.crt, client-key: /abs/c.key, tokenFile: tok, token: t"));
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->tls.ca_pem, kPem);
  EXPECT_EQ(config->tls.key_pem, kPem);
  EXPECT_EQ(config->tls.server_name, "b");
  EXPECT_EQ(config->token_file, "/etc/k/tok");
  EXPECT_EQ(config->token, "t");
}

TEST(Kubeconfig, AddressesWithoutSchemeFollowTheEntry) {
  EXPECT_EQ(resolve(one("server: 'localhost:8080'", ""))->servers[0].to_string(), "http://localhost:8080");
  EXPECT_EQ(resolve(one("server: 'a:6443', insecure-skip-tls-verify: true", ""))->servers[0].to_string(),
            "https://a:6443");
  EXPECT_TRUE(resolve(one("server: 'https://a', insecure-skip-tls-verify: true", ""))->tls.insecure_skip_verify);
}

TEST(Kubeconfig, WhatIsNotSupportedIsRefusedWithItsEntry) {
  struct Case {
    const char* cluster;
    const char* user;
    const char* message;
  };
  const std::vector<Case> cases = {
      {"server: 'https://a'", "exec: {command: aws, apiVersion: v1}",
       "/etc/k/config: user \"u\": exec plug-ins are not supported: use a token, a tokenFile or a client certificate"},
      {"server: 'https://a'", "auth-provider: {name: gcp}",
       "/etc/k/config: user \"u\": auth-provider is not supported: use a token, a tokenFile or a client certificate"},
      {"server: 'https://a'", "username: admin, password: x",
       "/etc/k/config: user \"u\": username and password are not supported (Kubernetes removed them in 1.19): use a "
       "token or a "
       "client certificate"},
      {"server: 'https://a'", "token: t, as: admin", "/etc/k/config: user \"u\": as: impersonation is not supported"},
      {"server: 'https://a', proxy-url: 'http://p:3128'", "",
       "/etc/k/config: cluster \"k\": proxy-url is not supported: name a server that can be reached directly"},
      {"", "", "/etc/k/config: cluster \"k\": has no server"},
      {"server: 'ftp://a'", "",
       "/etc/k/config: cluster \"k\": server \"ftp://a\": the scheme is none we know; expected https://HOST[:PORT], "
       "http://HOST[:PORT] or unix:///PATH"},
      {"server: 'https://a', certificate-authority: ca.crt, insecure-skip-tls-verify: true", "",
       "/etc/k/config: cluster \"k\": certificate-authority and insecure-skip-tls-verify exclude each other"},
      {"server: 'https://a', certificate-authority: none", "",
       "/etc/k/config: cluster \"k\": certificate-authority: /etc/k/none: No such file or directory"},
      {"server: 'https://a', certificate-authority: garbage", "",
       "/etc/k/config: cluster \"k\": certificate-authority: is not PEM text"},
      {"server: 'https://a', certificate-authority-data: '!!'", "",
       "/etc/k/config: cluster \"k\": certificate-authority-data: \"!\" at byte 0 is not base64"},
      {"server: 'https://a'", "client-certificate: c.crt",
       "/etc/k/config: user \"u\": a client certificate needs its key, and the key its certificate"},
  };
  for (const Case& c : cases) {
    const auto config = resolve(one(c.cluster, c.user));
    ASSERT_FALSE(config.ok()) << c.message;
    EXPECT_EQ(config.error().message, c.message);
  }
}

TEST(Kubeconfig, AnEntryThatIsNotUsedDoesNoHarm) {
  EXPECT_TRUE(resolve(one("server: 'https://a'", "") + "preferences: {colors: true}\nextensions: [{name: x}]\n").ok());
  const std::string text =
      "current-context: a\ncontexts: [{name: a, context: {cluster: k}}]\n"
      "clusters: [{name: k, cluster: {server: 'https://a'}}, {name: l, cluster: {proxy-url: x}}]\n"
      "users: [{name: e, user: {exec: {command: x}}}]\n";
  EXPECT_TRUE(resolve(text).ok());
}

TEST(Kubeconfig, MissingEntriesAreNamedWithThoseThereAre) {
  const std::string text =
      "contexts: [{name: a, context: {cluster: k, user: u}}, {name: b, context: {cluster: none}}]\n"
      "clusters: [{name: k, cluster: {server: 'https://a'}}]\n";
  EXPECT_EQ(resolve(text).error().message,
            "/etc/k/config: has no current-context; choose one with --context (there are: a, b)");
  EXPECT_EQ(resolve(text, "c").error().message, "/etc/k/config: context \"c\" does not exist (there are: a, b)");
  EXPECT_EQ(resolve(text, "b").error().message,
            "/etc/k/config: context \"b\" names the cluster \"none\", which does not exist (there are: k)");
  EXPECT_EQ(resolve(text, "a").error().message,
            "/etc/k/config: context \"a\" names the user \"u\", which does not exist (there are: none)");
  EXPECT_EQ(resolve("").error().message,
            "/etc/k/config: has no current-context; choose one with --context (there are: none)");
}

TEST(Kubeconfig, WrongTypesAreNamedWithTheirPlace) {
  struct Case {
    const char* text;
    const char* message;
  };
  const std::vector<Case> cases = {
      {"- a\n", "/etc/k/config: is not a kubeconfig"},
      {"kind: Pod\n", "/etc/k/config: line 1: kind: expected Config, found \"Pod\""},
      {"clusters: 7\n", "/etc/k/config: line 1: clusters: expected a list"},
      {"clusters:\n- 7\n", "/etc/k/config: line 2: clusters[0]: expected name and cluster"},
      {"users:\n- user: {}\n", "/etc/k/config: line 2: users[0]: has no name"},
      {"users:\n- name: a\n  user:\n    token: 7\n",
       "/etc/k/config: line 4: users[0].user.token: expected a string, found a value of type integer"},
      {"clusters:\n- name: a\n  cluster:\n    insecure-skip-tls-verify: \"yes\"\n",
       "/etc/k/config: line 4: clusters[0].cluster.insecure-skip-tls-verify: expected true or false, found a value of "
       "type "
       "string"},
      {"a: 1\n---\nb: 1\n", "/etc/k/config: holds more than one document"},
  };
  for (const Case& c : cases) {
    const auto config = Kubeconfig::parse(c.text, "/etc/k/config");
    ASSERT_FALSE(config.ok()) << c.text;
    EXPECT_EQ(config.error().message, c.message);
  }
  EXPECT_FALSE(Kubeconfig::parse("a: [", "/etc/k/config").ok());
}

TEST(Kubeconfig, MergingKeepsTheFirstOfEachName) {
  const std::map<std::string, std::string> content = {
      {"/a", "current-context: ''\nclusters: [{name: k, cluster: {server: 'https://from-a'}}]\n"},
      {"/b",
       "current-context: x\ncontexts: [{name: x, context: {cluster: k, user: u}}]\n"
       "clusters: [{name: k, cluster: {server: 'https://from-b'}}, {name: l, cluster: {server: 'https://l'}}]\n"
       "users: [{name: u, user: {token: from-b}}]\n"},
      {"/c",
       "current-context: y\nusers: [{name: u, user: {token: from-c}}]\n"
       "contexts: [{name: x, context: {cluster: l, user: u}}, {name: y, context: {cluster: l, user: u}}]\n"}};
  const FileReader reader = [&](const std::string& path) -> Result<std::string> {
    const auto found = content.find(path);
    if (found == content.end()) return Error{ErrorCode::kNotFound, path};
    return found->second;
  };
  const auto merged = load_kubeconfig("/a::/none:/b:/c", reader);
  ASSERT_TRUE(merged.ok()) << merged.error().message;
  EXPECT_EQ(merged->current_context, "x");
  EXPECT_EQ(merged->paths, (std::vector<std::string>{"/a", "/b", "/c"}));
  EXPECT_EQ(merged->resolve("", reader)->servers[0].to_string(), "https://from-a");
  EXPECT_EQ(merged->resolve("", reader)->token, "from-b");
  EXPECT_EQ(merged->resolve("y", reader)->servers[0].to_string(), "https://l");
  EXPECT_TRUE(load_kubeconfig("/none:", reader)->paths.empty());
}

TEST(Kubeconfig, AFileThatCannotBeReadIsAnErrorThoughAMissingOneIsNot) {
  const FileReader reader = [](const std::string& path) -> Result<std::string> {
    return Error{ErrorCode::kPermissionDenied, path + ": Permission denied"};
  };
  EXPECT_EQ(load_kubeconfig("/a", reader).error().message, "/a: Permission denied");
}

TEST(Kubeconfig, InlineDataMayBeFolded) {
  const std::string pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
  std::string data = base64_encode(pem);
  for (std::size_t at = 20; at < data.size(); at += 21) data.insert(at, at % 2 == 0 ? " " : "\\r\\n\\t");
  const auto config = Kubeconfig::parse(concat("clusters: [{name: k, cluster: {server: 'https://a', "
                                               "certificate-authority-data: \"",
                                               data, "\"}}]\ncontexts: [{name: c, context: {cluster: k}}]\n"),
                                        "/k");
  ASSERT_TRUE(config.ok()) << config.error().message;
  const auto resolved = config->resolve("c", [](const std::string&) -> Result<std::string> { return invalid("none"); });
  ASSERT_TRUE(resolved.ok()) << resolved.error().message;
  EXPECT_EQ(resolved->tls.ca_pem, pem);
}

}  // namespace
}  // namespace margay::kube
