#include "datastore/server/access.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"

namespace margay::server {
namespace {

constexpr std::string_view kAdministrators = "system:masters";
constexpr std::string_view kReadVerbs[] = {"get", "list", "watch"};
constexpr std::string_view kWriteVerbs[] = {"create", "update", "patch", "delete", "deletecollection"};

// Takes as long for a wrong token as for the right one, whatever the first difference is.
bool equal_in_constant_time(std::string_view a, std::string_view b) {
  std::size_t difference = a.size() ^ b.size();
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<std::size_t>(static_cast<unsigned char>(a[i] ^ (b.empty() ? 0 : b[i % b.size()])));
  return difference == 0;
}

// One line of CSV (RFC 4180 within a line): columns, some of them in double quotes.
Result<std::vector<std::string>> split_csv(std::string_view line) {
  std::vector<std::string> columns(1);
  bool in_quotes = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && in_quotes && line.substr(i + 1).starts_with('"')) {
      columns.back().push_back(line[++i]);
    } else if (c == '"') {
      in_quotes = !in_quotes;
    } else if (c == ',' && !in_quotes) {
      columns.emplace_back();
    } else {
      columns.back().push_back(c);
    }
  }
  if (in_quotes) return invalid("a quote is not closed");
  return columns;
}

bool is_verb(std::string_view verb) {
  return verb == "*" || std::find(std::begin(kReadVerbs), std::end(kReadVerbs), verb) != std::end(kReadVerbs) ||
         std::find(std::begin(kWriteVerbs), std::end(kWriteVerbs), verb) != std::end(kWriteVerbs);
}

}  // namespace

Access Access::open() {
  Access access;
  access.is_open_ = true;
  return access;
}

Result<Access::Rule> Access::parse_rule(std::string_view text) {
  const auto parts = split_once(text, ' ');
  if (!parts) return invalid(concat("rule ", quoted(text), ": expected verbs, a blank, and kinds"));
  Rule rule;
  for (const std::string_view word : split(parts->first, ',')) {
    if (word == "read") {
      rule.verbs.insert(std::begin(kReadVerbs), std::end(kReadVerbs));
    } else if (word == "write") {
      rule.verbs.insert(std::begin(kWriteVerbs), std::end(kWriteVerbs));
    } else if (is_verb(word)) {
      rule.verbs.emplace(word);
    } else {
      return invalid(concat("rule ", quoted(text), ": ", quoted(word),
                            " is no verb; there are get, list, watch, create, ",
                            "update, patch, delete, deletecollection, read, write and *"));
    }
  }
  for (const std::string_view kind : split(trim(parts->second), ',')) {
    if (trim(kind).empty()) return invalid(concat("rule ", quoted(text), ": a kind is empty"));
    rule.kinds.emplace(trim(kind));
  }
  return rule;
}

Result<Access::Account> Access::parse_account(const std::vector<std::string>& columns) {
  if (columns.size() < 3 || columns.size() > 5)
    return invalid(concat("expected token,user,uid[,\"groups\"[,\"rules\"]], found ", columns.size(), " columns"));
  if (columns[1].empty()) return invalid("the user must not be empty");
  Account account{columns[0], User{columns[1], columns[2], {}}, {}, {}};
  if (columns[1].starts_with('@')) {
    account.group = std::exchange(account.user.name, {}).substr(1);
    if (account.group.empty()) return invalid("the group after '@' must not be empty");
    if (!account.token.empty())
      return invalid(concat("a token belongs to a user, not to the group ", quoted(account.group)));
  }
  if (columns.size() > 3)
    for (const std::string_view group : split(columns[3], ','))
      if (!trim(group).empty()) account.user.groups.emplace(trim(group));
  if (columns.size() > 4)
    for (const std::string_view rule : split(columns[4], ';')) {
      if (trim(rule).empty()) continue;
      MARGAY_ASSIGN_OR_RETURN(Rule parsed, parse_rule(trim(rule)));
      account.rules.push_back(std::move(parsed));
    }
  return account;
}

Result<Access> Access::parse(std::string_view token_file) {
  Access access;
  std::size_t number = 0;
  for (const std::string_view line : split(token_file, '\n')) {
    ++number;
    const std::string_view text = trim(line);
    if (text.empty() || text.starts_with('#')) continue;
    const auto columns = split_csv(text);
    auto account = columns ? parse_account(columns.value()) : Result<Account>(columns.error());
    if (!account) return account.error().within(concat("line ", number));
    for (const Account& other : access.accounts_)
      if (!account->token.empty() && other.token == account->token)
        return invalid(concat("line ", number, ": the token of user ", quoted(other.user.name), " again"));
    access.accounts_.push_back(std::move(account).value());
  }
  if (access.accounts_.empty()) return invalid("there is no user in it");
  return access;
}

std::optional<User> Access::authenticate(const Credentials& credentials) const {
  if (is_open_) return User{"admin", "", {std::string(kAdministrators)}};
  const auto& certificate = credentials.certificate;
  if (certificate && !certificate->common_name.empty() && credentials.now <= certificate->not_after) {
    const auto& groups = certificate->organizations;
    return User{certificate->common_name, "", {groups.begin(), groups.end()}};
  }
  return holder_of(credentials.authorization);
}

std::optional<User> Access::holder_of(std::string_view authorization) const {
  const auto parts = split_once(authorization, ' ');
  if (!parts || !equals_ignoring_case(parts->first, "bearer")) return std::nullopt;
  const std::string_view token = trim(parts->second);
  const Account* found = nullptr;
  for (const Account& account : accounts_)
    if (!account.token.empty() && equal_in_constant_time(token, account.token)) found = &account;
  return found == nullptr ? std::nullopt : std::optional(found->user);
}

bool Access::Rule::allows(const AccessRequest& request) const {
  if (!verbs.contains("*") && !verbs.contains(request.verb)) return false;
  const auto names = [&](std::string_view suffix) {
    const std::string plural = concat(request.plural, suffix);
    const std::string qualified = concat(request.plural, ".", request.group, suffix);
    return kinds.contains(plural) || kinds.contains(qualified);
  };
  if (kinds.contains("*") || names("")) return true;
  return !request.subresource.empty() && names(concat("/", request.subresource));
}

bool Access::allows(const User& user, const AccessRequest& request) const {
  if (user.groups.contains(kAdministrators)) return true;
  for (const Account& account : accounts_) {
    if (!account.concerns(user)) continue;
    for (const Rule& rule : account.rules)
      if (rule.allows(request)) return true;
  }
  return false;
}

std::vector<Access::RuleText> Access::rules_of(const User& user) const {
  if (user.groups.contains(kAdministrators)) return {RuleText{{"*"}, {"*"}}};
  std::vector<RuleText> out;
  for (const Account& account : accounts_)
    if (account.concerns(user)) out.insert(out.end(), account.rules.begin(), account.rules.end());
  return out;
}

std::string Access::admin_token() const {
  for (const Account& account : accounts_)
    if (!account.token.empty() && account.user.groups.contains(kAdministrators)) return account.token;
  return "";
}

}  // namespace margay::server
