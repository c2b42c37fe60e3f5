#include "cni/plugin/output.h"

#include <utility>

namespace margay::cni {
namespace {

json::Object interface_object(const std::string& name, const std::string& mac, std::int64_t mtu,
                              std::string_view version) {
  json::Object out;
  out["name"] = name;
  out["mac"] = mac;
  if (!is_before(version, "1.1.0")) out["mtu"] = mtu;
  return out;
}

}  // namespace

std::string result_text(std::string_view version, const std::vector<IpPrefix>& addresses,
                        const MadeInterface* interface) {
  json::Object out;
  out["cniVersion"] = version;
  if (interface != nullptr) {
    json::Object pod = interface_object(interface->name, interface->mac, interface->mtu, version);
    pod["sandbox"] = interface->sandbox;
    json::Array list;
    list.emplace_back(interface_object(interface->host_name, interface->host_mac, interface->mtu, version));
    list.emplace_back(std::move(pod));
    out["interfaces"] = std::move(list);
  }
  json::Array ips;
  for (const IpPrefix& address : addresses) {
    json::Object ip;
    if (is_before(version, "1.0.0")) ip["version"] = address.is_v4() ? "4" : "6";
    ip["address"] = address.to_string();
    if (interface != nullptr) ip["interface"] = 1;
    ips.emplace_back(std::move(ip));
  }
  out["ips"] = std::move(ips);
  out["dns"] = json::Object{};
  return json::dump(json::Value(std::move(out)));
}

std::string version_text(std::string_view asked) {
  json::Object out;
  out["cniVersion"] = asked.empty() ? kNewestVersion : asked;
  json::Array versions;
  for (const std::string_view version : kVersions) versions.emplace_back(version);
  out["supportedVersions"] = std::move(versions);
  return json::dump(json::Value(std::move(out)));
}

std::string error_text(std::string_view version, const CniError& error) {
  json::Object out;
  out["cniVersion"] = is_version(version) ? version : kNewestVersion;
  out["code"] = error.code;
  out["msg"] = error.message;
  if (!error.details.empty()) out["details"] = error.details;
  return json::dump(json::Value(std::move(out)));
}

}  // namespace margay::cni
