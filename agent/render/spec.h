// Texts that rules are made of (iptables-extensions(8)). Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "agent/render/settings.h"
#include "dataplane/iptables/rule.h"

namespace margay::render {

using iptables::Table;

// Pieces with a blank between; empty ones are left out.
std::string spec(std::initializer_list<std::string_view> pieces);

std::string jump(std::string_view chain);
// A jump that does not come back here.
std::string go_to(std::string_view chain);
inline constexpr std::string_view kReturn = "-j RETURN";
inline constexpr std::string_view kAccept = "-j ACCEPT";
inline constexpr std::string_view kDrop = "-j DROP";

// "-i cali+"
std::string from_interface(std::string_view name);
std::string to_interface(std::string_view name);

// What Deny does: REJECT exists in the filter table only.
std::string_view deny(Table table, const Settings& settings);
// What happens to a packet that is let through for good: ACCEPT, or on to the rules of others.
std::string_view allow(Table table, const Settings& settings);

}  // namespace margay::render
