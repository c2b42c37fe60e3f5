// FakeTables: iptables in memory, behind the Runner seam: the tables of both families and back ends, with the programs
// …-save and …-restore. It can refuse lines with its words or without, fail its n-th call, and be changed behind the
// driver's back. For tests; used by one thread at a time.
//
// It checks what the real ones check: a chain that is referred to is there, one that goes is referred to by none, a
// rule that is named by its number or text exists; a transaction is done as a whole or not at all. As the real ones, it
// acts on the network namespace of the calling thread: in any but the one it was made in it is empty each time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/exec/runner.h"
#include "dataplane/iptables/backend.h"
#include "dataplane/iptables/rule.h"

namespace margay::iptables {

class FakeTables final : public exec::Runner {
 public:
  struct FakeChain {
    bool is_of_kernel = false;
    std::vector<std::string> rules;  // what stands behind "-A CHAIN "
  };
  using FakeTable = std::map<std::string, FakeChain>;

  FakeTables();
  Result<exec::Finished> run(const exec::Command& command) override;

  // --- what tests do to it ---
  FakeTable& table(const TableId& id, Backend backend = Backend::kNft) { return tables_[{backend, id}]; }
  // Lines of iptables-restore, as if another program had given them; what is wrong with them, or empty.
  std::string edit(const TableId& id, std::string_view lines, Backend backend = Backend::kNft);
  // Lines that hold this text are refused.
  void refuse(std::string text) { refused_.insert(std::move(text)); }
  void refuse_nothing() { refused_.clear(); }
  // Says nothing of the line when it refuses one, as iptables-nft-restore does in some cases.
  void hide_line_numbers(bool hides) { hides_lines_ = hides; }
  // The n-th call from now (1: the next) ends so, and nothing of it is done.
  void fail_call(int n, Result<exec::Finished> end);
  void fail_call(int n);  // "Resource temporarily unavailable"
  void remove_programs(Backend backend) { absent_.insert(backend); }
  // Before each call.
  std::function<void(const exec::Command&)> on_call;

  // --- what has become of it ---
  // As iptables-save prints them.
  [[nodiscard]] std::string saved(const TableId& id, Backend backend = Backend::kNft) const;
  [[nodiscard]] int saves() const { return saves_; }
  [[nodiscard]] int restores() const { return restores_; }  // refused ones included
  // The input of each iptables-restore, without the lines of the frame.
  [[nodiscard]] const std::vector<std::vector<std::string>>& transactions() const { return transactions_; }

 private:
  struct Key {
    Backend backend;
    TableId id;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  Result<exec::Finished> run_here(const exec::Command& command, Backend backend);
  exec::Finished save(IpFamily family, Backend backend, const std::vector<std::string>& arguments);
  exec::Finished restore(IpFamily family, Backend backend, std::string_view input);
  // What is wrong with the line; empty: it is done.
  std::string change(FakeTable& table, std::string_view line) const;

  std::map<Key, FakeTable> tables_;
  std::uint64_t home_;  // network namespace
  std::set<std::string> refused_;
  std::set<Backend> absent_;
  bool hides_lines_ = false;
  std::map<int, Result<exec::Finished>> failures_;  // by the number of the call
  int calls_ = 0;
  int saves_ = 0;
  int restores_ = 0;
  std::vector<std::vector<std::string>> transactions_;
};

}  // namespace margay::iptables
