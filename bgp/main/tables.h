// Tables for people, from the JSON of the local socket.
#pragma once

#include <string>

#include "base/json/value.h"

namespace margay::bgpd {

std::string peers_table(const json::Value& answer);
std::string routes_table(const json::Value& answer);

}  // namespace margay::bgpd
