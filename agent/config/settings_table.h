// The rows of the table, part by part of the object. Internal to this folder.
#pragma once

#include <span>

#include "agent/config/setting.h"

namespace margay::config::table {

std::span<const Setting> process();
std::span<const Setting> host();
std::span<const Setting> netfilter();
std::span<const Setting> routes();
std::span<const Setting> tunnels();
std::span<const Setting> bpf();
std::span<const Setting> reporting();

}  // namespace margay::config::table
