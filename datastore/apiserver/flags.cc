#include "datastore/apiserver/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "base/process/build_info.h"

namespace margay::apiserver {
namespace {

constexpr const char* kDescription =
    "A small API server that speaks the Kubernetes REST protocol for the kinds Margay needs, and for any\n"
    "CustomResourceDefinition. It keeps objects in memory (labs, tests) or in etcd (stateless: run as many as you "
    "like).";
constexpr const char* kStoreForms = "memory, memory:FILE (kept in a snapshot file) or etcd://HOST:PORT[,HOST:PORT...]";

struct Texts {
  std::vector<std::string> listen;
  std::string store = "memory";
  std::string log_level = "info";
  std::string log_format = "logfmt";
};

void define(CLI::App& app, Flags& flags, Texts& texts) {
  app.add_option("--listen", texts.listen,
                 "tcp://ADDRESS:PORT or unix:///PATH; may be given several times; port 0: any free one")
      ->required()
      ->type_name("URL");
  app.add_option("--store", texts.store, kStoreForms)->capture_default_str()->type_name("STORE");
  app.add_option("--crd-dir", flags.crd_dir,
                 "serve the CustomResourceDefinitions in the YAML files of this folder, too")
      ->type_name("DIR");
  app.add_option("--token-file", flags.token_file,
                 "who may do what: lines token,user,uid,\"groups\",\"rules\". Without it and --client-ca-file every "
                 "client is an\n"
                 "administrator, and only loopback addresses and unix sockets are listened on")
      ->type_name("FILE");
  app.add_option("--tls-cert", flags.tls_cert,
                 "certificate chain for TCP listeners, PEM; read again when it changes, as are the next two")
      ->type_name("FILE");
  app.add_option("--tls-key", flags.tls_key, "its private key, PEM")->type_name("FILE");
  app.add_option(
         "--client-ca-file", flags.client_ca_file,
         "authorities, PEM: who shows a certificate of theirs is the user its common name (CN) says, in the groups "
         "its\n"
         "organizations (O) say. system:masters may do everything; for others --token-file holds the rules, in lines\n"
         "with an empty token. Needs --tls-cert")
      ->type_name("FILE");
  app.add_option("--write-kubeconfig", flags.write_kubeconfig, "write a kubeconfig for the first listener when serving")
      ->type_name("FILE");
  app.add_option("--log-level", texts.log_level, "debug, info, warn, error or off")->capture_default_str();
  app.add_option("--log-format", texts.log_format, "logfmt or json")->capture_default_str();
  app.add_flag(
      "--enable-fault-injection", flags.enable_fault_injection,
      "FOR TESTS ONLY, off by default: administrators may make the server delay, refuse, cut off or spoil its answers\n"
      "through /debug/faults");
  app.set_version_flag("--version", process::version_line("margay-apiserver"));
}

Status settle(Flags& flags, const Texts& texts) {
  for (const std::string& text : texts.listen) {
    auto endpoint = loop::Endpoint::parse(text);
    if (!endpoint) return endpoint.error().within("--listen");
    flags.listen.push_back(std::move(endpoint).value());
  }
  auto store = parse_store(texts.store);
  if (!store) return store.error().within("--store");
  flags.store = std::move(store).value();
  const auto level = telemetry::parse_level(texts.log_level);
  if (!level) return level.error().within("--log-level");
  flags.log_level = level.value();
  const auto format = telemetry::parse_log_format(texts.log_format);
  if (!format) return format.error().within("--log-format");
  flags.log_format = format.value();
  if (flags.tls_cert.empty() != flags.tls_key.empty()) return invalid("--tls-cert and --tls-key go together");
  if (!flags.client_ca_file.empty() && flags.tls_cert.empty())
    return invalid("--client-ca-file needs --tls-cert and --tls-key: certificates are shown in TLS");
  return ok_status();
}

ParsedFlags usage_error(std::string_view message) {
  return {ParsedFlags::Kind::kUsageError,
          {},
          concat("margay-apiserver: ", message, "\nRun margay-apiserver --help for what is allowed.\n")};
}

}  // namespace

Result<StoreSpec> parse_store(std::string_view text) {
  constexpr std::string_view kEtcd = "etcd://";
  constexpr std::string_view kSnapshot = "memory:";
  StoreSpec spec;
  if (text == "memory") return spec;
  if (text.starts_with(kSnapshot) && text.size() > kSnapshot.size()) {
    spec.snapshot_path = text.substr(kSnapshot.size());
    return spec;
  }
  if (!text.starts_with(kEtcd)) return invalid(concat(quoted(text), " is not one of ", kStoreForms));
  spec.kind = StoreSpec::Kind::kEtcd;
  for (const std::string_view member : split(text.substr(kEtcd.size()), ',')) {
    auto endpoint = loop::Endpoint::parse(concat("tcp://", member));
    if (!endpoint) return endpoint.error().within(concat("etcd member ", quoted(member)));
    spec.etcd_endpoints.push_back(std::move(endpoint).value());
  }
  return spec;
}

ParsedFlags parse_flags(const std::vector<std::string>& arguments) {
  CLI::App app(kDescription, "margay-apiserver");
  ParsedFlags parsed;
  Texts texts;
  define(app, parsed.flags, texts);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return {ParsedFlags::Kind::kPrintAndExit, {}, app.help()};
  } catch (const CLI::CallForVersion&) {
    return {ParsedFlags::Kind::kPrintAndExit, {}, process::version_line("margay-apiserver") + "\n"};
  } catch (const CLI::ParseError& error) {
    return usage_error(error.what());
  }
  if (const Status settled = settle(parsed.flags, texts); !settled.ok()) return usage_error(settled.error().message);
  return parsed;
}

}  // namespace margay::apiserver
