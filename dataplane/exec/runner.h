// Runner: runs a program to its end. The seam between drivers that need another program and the machine: ProcessRunner
// is the real one, fakes stand behind it in tests.
//
// A call blocks until the program has ended or its time is over: it belongs on a loop whose delay nobody feels (the
// dataplane's). The program runs in the network namespace the calling thread is in. No shell is involved.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

namespace margay::exec {

struct Command {
  std::string program;  // looked up in PATH unless it has a '/'
  std::vector<std::string> arguments{};
  std::string_view input{};  // what it reads on standard input; valid until run() returns
  Duration time_limit = std::chrono::seconds(60);
  std::size_t output_max = std::size_t{256} << 20U;  // bytes of each of its two outputs
};

// "iptables-nft-save -t filter", for messages.
std::string to_string(const Command& command);

// A program that has ended, well or not.
struct Finished {
  int status = 0;        // as exit(3) was called
  int signal = 0;        // not 0: it was ended by this signal, and `status` says nothing
  std::string output{};  // standard output
  std::string errors{};  // standard error

  [[nodiscard]] bool is_success() const { return signal == 0 && status == 0; }
};

// A program that was started and is at work beside the caller; killed when this is destroyed before its end.
class Running {
 public:
  virtual ~Running() = default;
  // Once; blocks until it has ended. Errors as of Runner::run().
  virtual Result<Finished> finish() = 0;
};

class Runner {
 public:
  virtual ~Runner() = default;
  // kNotFound: there is no such program. kTimeout: it was killed when its time was over; what it did is not known.
  // kLimitExceeded: it was killed as it wrote too much. Others: it could not be started.
  virtual Result<Finished> run(const Command& command) = 0;
  // For programs without input that take long. Whoever cannot do that runs it when its end is waited for; outlives what
  // it returns.
  virtual std::unique_ptr<Running> start(const Command& command);
};

class ProcessRunner final : public Runner {
 public:
  // It starts with no descriptors but the standard three, no signal blocked or ignored, in a process group of its own
  // (so that what is typed at our terminal does not end it), with our environment.
  Result<Finished> run(const Command& command) override;
  std::unique_ptr<Running> start(const Command& command) override;
};

}  // namespace margay::exec
