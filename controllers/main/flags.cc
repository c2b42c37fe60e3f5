#include "controllers/main/flags.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "base/core/text.h"
#include "base/process/build_info.h"

namespace margay::controllers {
namespace {

constexpr const char* kDescription =
    "What a cluster needs once: policy of Kubernetes translated into policy of projectcalico.org/v3, and the objects\n"
    "that must be there. Run two: the one that holds the Lease margay-controllers writes, the other takes over.";

struct Texts {
  std::string listen;
  std::string log_level;
  std::string log_format = "logfmt";
};

void define(CLI::App& app, Flags& flags, Texts& texts) {
  app.add_option("--kubeconfig", flags.server.kubeconfig, "default: $KUBECONFIG, ~/.kube/config, then this pod's")
      ->type_name("FILE");
  app.add_option("--context", flags.server.context, "of the kubeconfig")->type_name("NAME");
  app.add_option("--server", flags.server.servers, "URL[,URL...] of the API server")->type_name("URL");
  app.add_option("--lease-namespace", flags.lease_namespace, "where the Lease lies")
      ->capture_default_str()
      ->type_name("NAMESPACE");
  app.add_option("--identity", flags.identity,
                 "how this replica is named in the Lease; default: host name and a number")
      ->type_name("NAME");
  app.add_flag("--leader-elect,!--no-leader-elect", flags.elects, "agree with other replicas on who writes (default)");
  app.add_option(
         "--listen", texts.listen,
         "metrics and health checks: tcp://ADDRESS:PORT, unix:///PATH or none; default: all addresses, the port "
         "of KubeControllersConfiguration (9094)")
      ->type_name("URL");
  app.add_option("--log-level", texts.log_level,
                 "debug, info, warn, error or off; default: as KubeControllersConfiguration says (info)");
  app.add_option("--log-format", texts.log_format, "logfmt or json")->capture_default_str();
}

Status read_values(Flags& flags, const Texts& texts) {
  flags.listens_nowhere = texts.listen == "none";
  if (!texts.listen.empty() && !flags.listens_nowhere) {
    auto endpoint = loop::Endpoint::parse(texts.listen);
    if (!endpoint) return endpoint.error().within("--listen");
    flags.listen = std::move(endpoint).value();
  }
  if (!texts.log_level.empty()) {
    const auto level = telemetry::parse_level(texts.log_level);
    if (!level) return level.error().within("--log-level");
    flags.log_level = level.value();
  }
  const auto format = telemetry::parse_log_format(texts.log_format);
  if (!format) return format.error().within("--log-format");
  flags.log_format = format.value();
  if (flags.lease_namespace.empty()) return invalid("--lease-namespace needs a name");
  return ok_status();
}

ParsedFlags usage_error(std::string_view message) {
  return {ParsedFlags::Kind::kUsageError,
          {},
          concat("margay-controllers: ", message, "\nRun margay-controllers --help for what is allowed.\n")};
}

}  // namespace

ParsedFlags parse_flags(const std::vector<std::string>& arguments) {
  CLI::App app(kDescription, "margay-controllers");
  ParsedFlags parsed;
  Texts texts;
  define(app, parsed.flags, texts);
  const std::string version = process::version_line("margay-controllers");
  app.set_version_flag("--version", version);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return {ParsedFlags::Kind::kPrintAndExit, {}, app.help()};
  } catch (const CLI::CallForVersion&) {
    return {ParsedFlags::Kind::kPrintAndExit, {}, version + "\n"};
  } catch (const CLI::ParseError& error) {
    return usage_error(error.what());
  }
  if (const Status settled = read_values(parsed.flags, texts); !settled.ok())
    return usage_error(settled.error().message);
  return parsed;
}

}  // namespace margay::controllers
