// Access: who a client is, by its bearer token or its certificate, and what that user may do.
//
// The token file has the columns of Kubernetes' static token file, and a fifth one with rules:
//
//   # token,user,uid,"groups","rules"
//   s3cret,admin,1,"system:masters"
//   t0ken,node-a,2,"","read *; write ipamblocks,blockaffinities,ipamhandles; update nodes/status"
//   ,node-b,,,"read *"              a user without a token: it shows a certificate
//   ,@system:nodes,,,"read nodes"   a group
//
// A client certificate that TLS has checked makes its subject's common name the user and its organizations the groups,
// as in kube-apiserver; it goes before a token. Rules belong to users and groups, however these have proved who they
// are.
//
// Members of system:masters may do everything. Everybody else may do what a rule says, and read the discovery
// documents. A rule is VERBS KINDS: verbs (get, list, watch, create, update, patch, delete, deletecollection; read and
// write stand for theirs; * for all) and kinds (plural, plural.group, plural/status for the status alone, or *),
// separated by commas. Rules are separated by semicolons.
//
// Source: Kubernetes documentation, "Authenticating" (X509 client certificates, static token file).
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "base/loop/stream.h"

namespace margay::server {

struct User {
  std::string name;
  std::string uid;
  std::set<std::string, std::less<>> groups;
};

struct AccessRequest {
  std::string_view verb;
  std::string_view group;
  std::string_view plural;
  std::string_view subresource;
};

class Access {
 public:
  // Nobody is asked for a token; everybody is an administrator.
  static Access open();
  // Nobody has a token, and only administrators have rights.
  static Access certificates_only() { return {}; }
  // The error names the line.
  static Result<Access> parse(std::string_view token_file);

  // What a client says of itself.
  struct Credentials {
    std::string_view authorization = {};  // the header's value
    const std::optional<loop::PeerCertificate>& certificate;
    WallTime now{};
  };
  // nullopt: not known. A certificate must still be good, also on a connection that began long ago.
  [[nodiscard]] std::optional<User> authenticate(const Credentials& credentials) const;
  [[nodiscard]] bool allows(const User& user, const AccessRequest& request) const;
  // What a user may do, as rules.
  struct RuleText {
    std::set<std::string, std::less<>> verbs;
    std::set<std::string, std::less<>> kinds;
  };
  [[nodiscard]] std::vector<RuleText> rules_of(const User& user) const;
  [[nodiscard]] bool is_open() const { return is_open_; }
  // The token of an administrator, for a kubeconfig; "" when there is none.
  [[nodiscard]] std::string admin_token() const;

 private:
  struct Rule : RuleText {
    [[nodiscard]] bool allows(const AccessRequest& request) const;
  };
  struct Account {
    std::string token;  // "": shows a certificate
    User user;
    std::string group;  // instead of a user
    [[nodiscard]] bool concerns(const User& who) const {
      return group.empty() ? user.name == who.name : who.groups.contains(group);
    }
    std::vector<Rule> rules;
  };
  [[nodiscard]] std::optional<User> holder_of(std::string_view authorization) const;
  static Result<Account> parse_account(const std::vector<std::string>& columns);
  static Result<Rule> parse_rule(std::string_view text);

  bool is_open_ = false;
  std::vector<Account> accounts_;
};

}  // namespace margay::server
