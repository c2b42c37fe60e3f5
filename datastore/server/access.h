// Access: who a bearer token belongs to, and what that user may do.
//
// The token file has the columns of Kubernetes' static token file, and a fifth one with rules:
//
//   # token,user,uid,"groups","rules"
//   s3cret,admin,1,"system:masters"
//   t0ken,node-a,2,"","read *; write ipamblocks,blockaffinities,ipamhandles; update nodes/status"
//
// Members of system:masters may do everything. Everybody else may do what a rule says, and read the discovery
// documents. A rule is VERBS KINDS: verbs (get, list, watch, create, update, patch, delete, deletecollection; read and
// write stand for theirs; * for all) and kinds (plural, plural.group, plural/status for the status alone, or *),
// separated by commas. Rules are separated by semicolons.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

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
  // The error names the line.
  static Result<Access> parse(std::string_view token_file);

  // The value of the Authorization header; nullopt: not known.
  [[nodiscard]] std::optional<User> authenticate(std::string_view authorization) const;
  [[nodiscard]] bool allows(const User& user, const AccessRequest& request) const;
  [[nodiscard]] bool is_open() const { return is_open_; }
  // The token of an administrator, for a kubeconfig; "" when there is none.
  [[nodiscard]] std::string admin_token() const;

 private:
  struct Rule {
    std::set<std::string, std::less<>> verbs;
    std::set<std::string, std::less<>> kinds;
    [[nodiscard]] bool allows(const AccessRequest& request) const;
  };
  struct Account {
    std::string token;
    User user;
    std::vector<Rule> rules;
  };
  static Result<Account> parse_account(const std::vector<std::string>& columns);
  static Result<Rule> parse_rule(std::string_view text);

  bool is_open_ = false;
  std::vector<Account> accounts_;
};

}  // namespace margay::server
