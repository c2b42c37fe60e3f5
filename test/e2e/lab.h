// Lab: a cluster made by `netctl lab`, for a test. Everything is asked as an admin would: by netctl.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/ip/address.h"
#include "test/support/net_space.h"
#include "test/support/process.h"
#include "test/support/witness.h"

namespace margay::test {

// What is missing on this machine; "": nothing.
std::string missing_for_labs();

class Lab {
 public:
  // `purpose`: at most 16 letters, part of its name.
  explicit Lab(const std::string& purpose);
  // Down; after a failure the ends of its logs are printed before.
  ~Lab();
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  // netctl lab WORDS --name NAME.
  [[nodiscard]] ProgramResult run(std::vector<std::string> words) const;
  // netctl WORDS --kubeconfig; `input` is standard input, for -f -.
  [[nodiscard]] ProgramResult netctl(std::vector<std::string> words, const std::string& input = {}) const;
  [[nodiscard]] std::string kubeconfig() const;
  // The same with a topology of docs/examples/lab. False, with what netctl says on standard error.
  bool up(const std::string& example, const std::vector<std::string>& more = {}) const;
  bool up_from(const std::string& file, const std::vector<std::string>& more = {}) const;
  // A file below docs/examples; or a text. False, with what netctl says.
  bool apply_example(const std::string& file) const;
  bool apply(const std::string& text) const;

  // "from to protocol/port verdict" of every cell: by packets, and as policy has it.
  [[nodiscard]] std::set<std::string> matrix() const;
  [[nodiscard]] std::set<std::string> calculated() const;
  // Packets and policy agree.
  [[nodiscard]] bool is_as_calculated() const;
  // All nodes ready, all sessions up.
  [[nodiscard]] bool is_well() const { return run({"status"}).exit_status == 0; }
  // Waits for that; prints what is missing.
  [[nodiscard]] bool becomes_well() const;
  // Waits until every node has routes to the blocks of `blocks` other nodes.
  [[nodiscard]] bool routes_spread(const std::vector<std::string>& nodes, std::size_t blocks) const;

  // "shop/web": the first that is on the node; a failure when there is none.
  [[nodiscard]] std::string pod_on(const std::string& node) const;
  // Of a running pod.
  [[nodiscard]] std::vector<IpAddress> addresses(const std::string& name_space, const std::string& pod) const;
  [[nodiscard]] NetSpace pod_space(const std::string& name_space, const std::string& pod) const;

 private:
  [[nodiscard]] std::set<std::string> cells(const ProgramResult& printed) const;
  std::string name_;
};

// Lines, for messages.
std::string show(const std::set<std::string>& lines);

// Datagrams with numbers from a pod to another, each millisecond, both over one flow and each as a new one.
class Traffic {
 public:
  // "shop/web".
  Traffic(const Lab& lab, const std::string& from, const std::string& to);
  // Lost so far; goes on.
  std::size_t lost();
  [[nodiscard]] std::size_t sent() const { return flow_.count().sent + fresh_.count().sent; }

 private:
  NetSpace from_, to_;
  Witness flow_, fresh_;
};

}  // namespace margay::test
