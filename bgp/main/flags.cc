// By hand rather than with a library: margay-bgpd starts in milliseconds and stays small.
#include "bgp/main/flags.h"

#include <optional>
#include <utility>

#include "base/core/text.h"
#include "base/process/build_info.h"

namespace margay::bgpd {
namespace {

constexpr std::string_view kUsage =
    R"(margay-bgpd: a BGP speaker, configured by a file of BGPConfiguration, BGPPeer, BGPFilter and Speaker objects

  margay-bgpd --config FILE.yaml [--socket PATH]     runs until SIGTERM (keeps routes, for a restart) or SIGINT (says
                                                     goodbye to all peers); SIGHUP reads the file again
  margay-bgpd --config FILE.yaml --check             only says what is wrong with the file
  margay-bgpd [--socket PATH] --reload               reads the file again
  margay-bgpd [--socket PATH] show peers
  margay-bgpd [--socket PATH] show routes [--peer IP] [--in|--out]
  margay-bgpd [--socket PATH] reset --peer IP

  --config FILE        the configuration
  --socket PATH        where questions are answered; default /run/margay/bgpd.sock
  --log-level LEVEL    debug, info, warn, error, off
  --log-format FORMAT  logfmt, json
  --peer IP            routes: of this peer alone
  --in, --out          routes: as received from the peer, as sent to it
  -o json|table        how to show
  --version, --help

Exit: 0 done, 1 failed, 2 wrong usage or configuration, 4 there is no such peer
)";

class Parser {
 public:
  explicit Parser(const std::vector<std::string>& arguments) : arguments_(arguments) {}

  ParsedFlags run() {
    while (next_ < arguments_.size() && result_.kind == ParsedFlags::Kind::kRun) take(arguments_[next_++]);
    if (result_.kind == ParsedFlags::Kind::kRun) check();
    return std::move(result_);
  }

 private:
  void stop(ParsedFlags::Kind kind, std::string text) {
    if (result_.kind != ParsedFlags::Kind::kRun) return;
    result_.kind = kind;
    result_.text = std::move(text);
  }
  void bad(std::string_view message) {
    stop(ParsedFlags::Kind::kUsageError, concat("margay-bgpd: ", message, "\nSee margay-bgpd --help\n"));
  }

  void take(const std::string& word) {
    const auto parts = split_once(word, '=');
    const bool has_value = word.starts_with("--") && parts.has_value();
    const std::string_view name = has_value ? parts->first : std::string_view(word);
    if (has_value) given_ = std::string(parts->second);
    if (name.starts_with('-')) {
      take_option(name);
    } else {
      take_word(word);
    }
    if (given_) bad(concat(name, " takes no value"));
  }

  void take_word(const std::string& word) {
    Flags& flags = result_.flags;
    if (flags.mode == Flags::Mode::kShow && flags.what.empty() && (word == "peers" || word == "routes")) {
      flags.what = word;
    } else if (flags.mode == Flags::Mode::kRun && word == "show") {
      flags.mode = Flags::Mode::kShow;
    } else if (flags.mode == Flags::Mode::kRun && (word == "reset" || word == "reload")) {
      flags.mode = word == "reset" ? Flags::Mode::kReset : Flags::Mode::kReload;
    } else {
      bad(concat("unexpected ", quoted(word)));
    }
  }

  void take_option(std::string_view name) {
    Flags& flags = result_.flags;
    if (name == "--help" || name == "-h") return stop(ParsedFlags::Kind::kPrintAndExit, std::string(kUsage));
    if (name == "--version") {
      return stop(ParsedFlags::Kind::kPrintAndExit, process::version_line("margay-bgpd") + "\n");
    }
    if (name == "--config") {
      flags.config = value(name);
    } else if (name == "--socket") {
      flags.socket = value(name);
      flags.has_socket = true;
    } else if (name == "--peer") {
      flags.peer = value(name);
    } else if (name == "--check") {
      flags.mode = Flags::Mode::kCheck;
    } else if (name == "--reload") {
      flags.mode = Flags::Mode::kReload;
    } else if (name == "--show") {
      flags.mode = Flags::Mode::kShow;
      take_word(value(name));
    } else if (name == "--in") {
      flags.in = true;
    } else if (name == "--out") {
      flags.out = true;
    } else if (name == "-o" || name == "--output") {
      take_output(value(name));
    } else if (name == "--log-level") {
      take_parsed(name, telemetry::parse_level(value(name)), flags.log_level);
    } else if (name == "--log-format") {
      take_parsed(name, telemetry::parse_log_format(value(name)), flags.log_format);
    } else {
      bad(concat("unknown option ", quoted(name)));
    }
  }

  void take_output(const std::string& format) {
    if (format != "json" && format != "table") return bad(concat("-o ", quoted(format), " is neither json nor table"));
    result_.flags.json = format == "json";
  }

  template <class T>
  void take_parsed(std::string_view name, const Result<T>& parsed, T& out) {
    if (!parsed.ok()) return bad(concat(name, ": ", parsed.error().message));
    out = *parsed;
  }

  std::string value(std::string_view name) {
    if (given_) return *std::exchange(given_, std::nullopt);
    if (next_ < arguments_.size()) return arguments_[next_++];
    bad(concat(name, " needs a value"));
    return {};
  }

  void check() {
    const Flags& flags = result_.flags;
    const bool needs_config = flags.mode == Flags::Mode::kRun || flags.mode == Flags::Mode::kCheck;
    if (needs_config && flags.config.empty()) return bad("--config is needed");
    if (flags.mode == Flags::Mode::kShow && flags.what.empty()) return bad("show what: peers or routes?");
    if (flags.in && flags.out) return bad("--in and --out exclude each other");
    if ((flags.in || flags.out) && flags.peer.empty()) return bad("--in and --out need --peer");
    if (flags.mode == Flags::Mode::kReset && flags.peer.empty()) return bad("reset needs --peer");
    if (flags.peer.empty()) return;
    const auto address = IpAddress::parse(flags.peer);
    if (!address.ok()) bad(concat("--peer: ", address.error().message));
  }

  const std::vector<std::string>& arguments_;
  std::size_t next_ = 0;
  std::optional<std::string> given_;  // after "="
  ParsedFlags result_;
};

}  // namespace

ParsedFlags parse_flags(const std::vector<std::string>& arguments) { return Parser(arguments).run(); }

}  // namespace margay::bgpd
