// The table of settings: every field of FelixConfiguration's spec, with how it is written in files and the environment,
// its default, and whether this agent acts on it.
//
// The names are those of Calico's agent, and so are the forms: "FelixConfiguration" in the reference of
// projectcalico.org/v3, and "Configuring Felix" for files and the environment. Values themselves are read by
// datastore/codec: a text becomes the JSON that an object would have there.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/json/value.h"

namespace margay::config {

// What a text in a file or the environment may be. Lists are separated by commas, with blanks around elements.
enum class Form : std::uint8_t {
  kBool,           // true, 1, yes, y, t; false, 0, no, n, f; in any case
  kInteger,        // 10, 0x0a, 0o12, 012, 0b1010
  kMark,           // the same: bits of a packet mark, two at least
  kText,           // as it is: texts, addresses, a range of ports "20000:29999"
  kPattern,        // a regular expression (RE2)
  kWord,           // one of a few words, in any case
  kSeconds,        // 90, 0.5; or with units as in objects: 1m30s
  kMilliseconds,   // the same, 50 being 50ms
  kTexts,          // a list
  kPorts,          // a list of PROTOCOL:PORT, PROTOCOL:NETWORK:PORT (IPv6 networks in brackets), PORT
  kTableRange,     // 1-250
  kTableRanges,    // a list of those
  kTextMap,        // a list of KEY=VALUE
  kTimeouts,       // a list of STATE=DURATION or STATE=Auto
  kNamedTimeouts,  // a list of NAME=DURATION
};

enum class Effect : std::uint8_t {
  kActs,
  kNotYet,  // read and shown; the feature is not there
  kNone,    // read and shown; there is nothing here that it could be about (the runtime of Go, Windows, OpenStack)
};
// "acts", "not yet", "none"
std::string_view to_string(Effect effect);

struct Range {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

struct Setting {
  std::string_view name;        // of the field: "ipipMTU"
  std::string_view local_name;  // in files and the environment: "IpInIpMtu"; never empty
  Form form = Form::kText;
  std::string_view fallback{};  // the default, as a file would have it; "": nothing
  Effect effect = Effect::kNotYet;
  std::span<const std::string_view> words{};  // of kWord, as objects have them
  Range range{};                              // of kInteger
  bool may_be_none = true;                    // "none" turns it off
  std::string_view note{};                    // for people: when it acts, or what is not there that it is about
};

// In the order of the parts of the object.
std::span<const Setting> settings();
// By the name of the field; null when there is none.
const Setting* find_setting(std::string_view name);
// By the name in files and the environment (there after FELIX_), in any case; the field's name will do as well.
const Setting* find_local(std::string_view name);

// From the text of a file or variable to what an object has there. "none", in any case, is the value that says nothing
// (false, 0, "", []), or an error where there is none.
Result<json::Value> parse_text(const Setting& setting, std::string_view text);
// A value as objects are written; an error says what is wrong with it. Null: says nothing.
Result<json::Value> canonical(const Setting& setting, const json::Value& value);
// "90s", 9099, [{…}]: for people and logs.
std::string text_of(const json::Value& value);

}  // namespace margay::config
