#include "datastore/kube/config.h"

#include <gtest/gtest.h>

#include <map>

#include "base/core/text.h"

namespace margay::kube {
namespace {

constexpr const char* kFilePem = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";

// Files as a map; remembers what was asked for.
struct FakeFiles {
  std::map<std::string, std::string> content;
  std::vector<std::string> asked;

  FileReader reader() {
    return [this](const std::string& path) -> Result<std::string> {
      asked.push_back(path);
      const auto found = content.find(path);
      if (found == content.end()) return Error{ErrorCode::kNotFound, path + ": No such file or directory"};
      return found->second;
    };
  }
};

std::string kubeconfig(const std::string& name) {
  return concat("current-context: ", name, "\ncontexts: [{name: ", name, ", context: {cluster: ", name,
                ", user: ", name, ", namespace: ns-", name, "}}]\nclusters: [{name: ", name,
                ", cluster: {server: 'https://", name, ":6443'}}]\nusers: [{name: ", name, ", user: {token: token-",
                name, "}}]\n");
}

TEST(ServerUrl, ReadsWhatPeopleWrite) {
  struct Case {
    const char* url;
    const char* endpoint;
    bool uses_tls;
    const char* host_header;
    const char* path_prefix;
  };
  const std::vector<Case> cases = {
      {"https://10.0.0.1:6443", "tcp://10.0.0.1:6443", true, "10.0.0.1:6443", ""},
      {"https://api.example.org", "tcp://api.example.org:443", true, "api.example.org", ""},
      {"http://localhost:8001/", "tcp://localhost:8001", false, "localhost:8001", ""},
      {"http://localhost", "tcp://localhost:80", false, "localhost", ""},
      {"https://[fd00::1]:6443", "tcp://[fd00::1]:6443", true, "[fd00::1]:6443", ""},
      {"https://[fd00::1]", "tcp://[fd00::1]:443", true, "[fd00::1]", ""},
      {"https://[fe80::1%25eth0]:6443/a", "tcp://[fe80::1%eth0]:6443", true, "[fe80::1]:6443", "/a"},
      {"http://[fe80::1%25br%2Dlan]", "tcp://[fe80::1%br-lan]:80", false, "[fe80::1]", ""},
      {"https://rancher/k8s/clusters/c-1/", "tcp://rancher:443", true, "rancher", "/k8s/clusters/c-1"},
      {"unix:///run/margay/api.sock", "unix:///run/margay/api.sock", false, "localhost", ""},
  };
  for (const Case& c : cases) {
    const auto url = ServerUrl::parse(c.url);
    ASSERT_TRUE(url.ok()) << url.error().message;
    EXPECT_EQ(url->endpoint.to_string(), c.endpoint);
    EXPECT_EQ(url->uses_tls, c.uses_tls);
    EXPECT_EQ(url->host_header, c.host_header);
    EXPECT_EQ(url->path_prefix, c.path_prefix);
    EXPECT_EQ(ServerUrl::parse(url->to_string())->to_string(), url->to_string());
  }
}

TEST(ServerUrl, RefusesTheRest) {
  for (const char* url : {"", "10.0.0.1:6443", "ftp://a", "https://", "https:///path", "https://user:pw@host",
                          "https://a?b=c", "https://a#b", "https://a b", "https://a:0", "https://a:65536",
                          "https://a:b", "https://[::1", "unix://relative", "https://a\r\nX: y"}) {
    EXPECT_FALSE(ServerUrl::parse(url).ok()) << url;
  }
  EXPECT_EQ(ServerUrl::parse("ftp://a").error().message,
            "server \"ftp://a\": the scheme is none we know; expected https://HOST[:PORT], http://HOST[:PORT] or "
            "unix:///PATH");
}

TEST(ServerUrl, SaysHowAZoneIsWritten) {
  struct Case {
    const char* url;
    const char* complaint;
  };
  const Case cases[] = {
      {"https://[fe80::1%eth0]:6443", "written with %25"},
      {"https://[fe80::1%25]:6443", "written with %25"},
      {"https://[fe80::1%25et%2Fh0]:6443", "zone after '%' has a character"},
      {"https://[fe80::1%25et%2]:6443", "two hexadecimal digits"},
      {"https://[fe80::1%25interface-number]:6443", "longer than"},
      {"https://a%25b:6443", "zone of an IPv6 address"},
      {"https://[fe80::1]:6443%25", "zone of an IPv6 address"},
  };
  for (const Case& c : cases) {
    const auto url = ServerUrl::parse(c.url);
    ASSERT_FALSE(url.ok()) << c.url;
    EXPECT_NE(url.error().message.find(c.complaint), std::string::npos) << url.error().message;
  }
}

TEST(ServerUrl, Lists) {
  const auto servers = parse_servers("https://a:1, https://b:2,unix:///c");
  ASSERT_TRUE(servers.ok());
  ASSERT_EQ(servers->size(), 3U);
  EXPECT_EQ((*servers)[1].to_string(), "https://b:2");
  EXPECT_FALSE(parse_servers("https://a,").ok());
  std::string many = "https://a";
  for (int i = 0; i < 40; ++i) many += ",https://a";
  EXPECT_FALSE(parse_servers(many).ok());
}

struct Precedence {
  const char* why;
  ConnectionFlags flags;
  Environment environment;
  const char* server;
  const char* token;
};

TEST(ChooseConnection, TheFirstSourceThatIsThereWins) {
  FakeFiles files;
  files.content = {{"/flag", kubeconfig("flag")},
                   {"/env", kubeconfig("env")},
                   {"/root/.kube/config", kubeconfig("home")},
                   {"/var/run/secrets/kubernetes.io/serviceaccount/token", "token-pod\n"},
                   {"/var/run/secrets/kubernetes.io/serviceaccount/ca.crt", kFilePem}};
  const Environment all{.kubeconfig = "/env", .home = "/root", .service_host = "10.96.0.1", .service_port = "443"};
  const Environment home{.kubeconfig = "", .home = "/root", .service_host = "10.96.0.1", .service_port = "443"};
  const Environment pod{.kubeconfig = "", .home = "/nobody", .service_host = "10.96.0.1", .service_port = "8443"};
  const std::vector<Precedence> cases = {
      {"--server before everything", {.servers = "unix:///s"}, all, "unix:///s", ""},
      {"--server with --kubeconfig keeps its credentials",
       {.servers = "https://s", .kubeconfig = "/flag"},
       all,
       "https://s",
       "token-flag"},
      {"--server with --context keeps its credentials",
       {.servers = "https://s", .context = "env"},
       all,
       "https://s",
       "token-env"},
      {"--kubeconfig", {.kubeconfig = "/flag"}, all, "https://flag:6443", "token-flag"},
      {"KUBECONFIG", {}, all, "https://env:6443", "token-env"},
      {"~/.kube/config", {}, home, "https://home:6443", "token-home"},
      {"pod", {}, pod, "https://10.96.0.1:8443", "token-pod"},
  };
  for (const Precedence& c : cases) {
    const auto config = choose_connection(c.flags, c.environment, files.reader());
    ASSERT_TRUE(config.ok()) << c.why << ": " << config.error().message;
    ASSERT_EQ(config->servers.size(), 1U);
    EXPECT_EQ(config->servers[0].to_string(), c.server) << c.why;
    EXPECT_EQ(config->token, c.token) << c.why;
  }
}

TEST(ChooseConnection, ExplicitServersTakeTheirOwnCredentials) {
  FakeFiles files;
  files.content = {{"/ca", kFilePem}, {"/cert", kFilePem}, {"/key", "-----BEGIN KEY"}, {"/text", "text"}};
  const auto config = choose_connection({.servers = "https://a,https://b",
                                         .token_file = "/token",
                                         .ca_file = "/ca",
                                         .client_certificate_file = "/cert",
                                         .client_key_file = "/key"},
                                        {}, files.reader());
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->servers.size(), 2U);
  EXPECT_EQ(config->tls.ca_pem, kFilePem);
  EXPECT_EQ(config->tls.key_pem, "-----BEGIN KEY");
  EXPECT_EQ(config->token_file, "/token");
  EXPECT_FALSE(choose_connection({.servers = "https://a", .client_key_file = "/key"}, {}, files.reader()).ok());
  EXPECT_FALSE(choose_connection({.servers = "https://a", .ca_file = "/none"}, {}, files.reader()).ok());
  EXPECT_EQ(choose_connection({.servers = "https://a", .ca_file = "/text"}, {}, files.reader()).error().message,
            "/text: is not PEM");
}

TEST(ChooseConnection, TlsFlagsReplaceWhatTheKubeconfigHas) {
  FakeFiles files;
  files.content = {
      {"/flag", kubeconfig("flag")}, {"/ca", "-----BEGIN CA"}, {"/crt", "-----BEGIN CRT"}, {"/key", "-----BEGIN KEY"}};
  ConnectionFlags flags{.kubeconfig = "/flag"};
  flags.ca_file = "/ca";
  flags.client_certificate_file = "/crt";
  flags.client_key_file = "/key";
  const auto config = choose_connection(flags, {}, files.reader());
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->tls.ca_pem, "-----BEGIN CA");
  EXPECT_EQ(config->tls.certificate_pem, "-----BEGIN CRT");
  EXPECT_EQ(config->tls.key_pem, "-----BEGIN KEY");
  EXPECT_EQ(config->tls_files.ca, "/ca") << "read again when it changes";
  EXPECT_EQ(config->token, "token-flag") << "the rest stays";
  flags.client_key_file.clear();
  EXPECT_EQ(choose_connection(flags, {}, files.reader()).error().message,
            "a client certificate needs its key, and the key its certificate");
  flags.client_key_file = "/absent";
  EXPECT_FALSE(choose_connection(flags, {}, files.reader()).ok());
}

TEST(ChooseConnection, SaysWhatWasLookedFor) {
  FakeFiles files;
  const auto message = [&](const ConnectionFlags& flags, const Environment& environment) {
    const auto config = choose_connection(flags, environment, files.reader());
    return config.ok() ? std::string("found") : config.error().message;
  };
  EXPECT_EQ(
      message({}, {.home = "/root"}),
      "do not know which API server to use: no --server, no kubeconfig (/root/.kube/config), and this is not a pod "
      "(KUBERNETES_SERVICE_HOST is not set)");
  EXPECT_EQ(message({}, {.kubeconfig = "/a:/b"}),
            "do not know which API server to use: no --server, no kubeconfig (KUBECONFIG=/a:/b), and this is not a pod "
            "(KUBERNETES_SERVICE_HOST is not set)");
  EXPECT_EQ(message({.context = "x"}, {.home = "/root", .service_host = "10.96.0.1"}),
            "context \"x\" is asked for, but there is no kubeconfig (/root/.kube/config)");
  EXPECT_EQ(message({.kubeconfig = "/none"}, {}), "/none: No such file or directory");
  EXPECT_EQ(message({}, {.service_host = "10.96.0.1"}),
            "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt: No such file or directory");
}

TEST(InCluster, ReadsTheServiceAccount) {
  FakeFiles files;
  const std::string folder = "/var/run/secrets/kubernetes.io/serviceaccount/";
  files.content = {{folder + "token", "abc\n"}, {folder + "ca.crt", kFilePem}, {folder + "namespace", "kube-system\n"}};
  const auto config = in_cluster_config({.service_host = "fd00::1", .service_port = "443"}, files.reader());
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->servers[0].to_string(), "https://[fd00::1]:443");
  EXPECT_EQ(config->token, "abc");
  EXPECT_EQ(config->token_file, folder + "token");
  EXPECT_EQ(config->tls.ca_pem, kFilePem);
  EXPECT_EQ(config->default_namespace, "kube-system");
  files.content.erase(folder + "namespace");
  EXPECT_EQ(in_cluster_config({.service_host = "10.96.0.1"}, files.reader())->default_namespace, "default");
}

}  // namespace
}  // namespace margay::kube
