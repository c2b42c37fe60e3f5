// kubeconfig files: read, merged as kubectl merges them, resolved for one context. Pure but for resolve(), which reads
// the certificate files a context names.
//
// Merging: of each named cluster, user and context, and of current-context, the first file that has it wins.
// Paths inside a file are relative to its folder. Beyond kubectl: `server: unix:///path`.
// Refused with the entry's name: exec and auth-provider plug-ins, username and password, proxy-url, impersonation.
//
// Source: Kubernetes documentation, "kubeconfig (v1)".
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "datastore/kube/config.h"

namespace margay::kube {

// PEM given inline (base64) or by file; inline goes first.
struct PemSource {
  std::string data;  // base64; blanks and line ends in it do not count
  std::string file;
  [[nodiscard]] bool is_given() const { return !data.empty() || !file.empty(); }
  // "" when it is given inline.
  [[nodiscard]] std::string used_file() const { return data.empty() ? file : std::string(); }
};

struct KubeconfigCluster {
  std::string server;
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
  PemSource ca;
  std::string refusal;  // not empty: why Margay cannot use this entry
};

struct KubeconfigUser {
  PemSource certificate;
  PemSource key;
  std::string token;
  std::string token_file;
  std::string refusal;
};

struct KubeconfigContext {
  std::string cluster;
  std::string user;
  std::string name_space;
};

struct Kubeconfig {
  std::string current_context;
  std::map<std::string, KubeconfigCluster, std::less<>> clusters;
  std::map<std::string, KubeconfigUser, std::less<>> users;
  std::map<std::string, KubeconfigContext, std::less<>> contexts;
  std::vector<std::string> paths;  // the files it came from

  // YAML or JSON. `path` is the file's, for its relative paths and for messages. Members we do not know are passed
  // over; those of a wrong type are errors with their place.
  static Result<Kubeconfig> parse(std::string_view text, std::string_view path);
  // Adds what `later` has and this has not.
  void merge(Kubeconfig later);
  // `context` "": current-context. The error lists the contexts there are.
  [[nodiscard]] Result<ConnectionConfig> resolve(std::string_view context, const FileReader& files) const;
};

// The files of a KUBECONFIG-like list, separated by colons; those that do not exist are passed over.
Result<Kubeconfig> load_kubeconfig(std::string_view path_list, const FileReader& files);

}  // namespace margay::kube
