// The formats of OpenAPI strings that Kubernetes checks. Private to datastore/schema.
#pragma once

#include <string_view>

namespace margay::schema {

// What a text of that format looks like, for messages: "an IPv4 address such as 10.0.0.1"; "" for a format that is not
// checked, as in Kubernetes.
std::string_view format_hint(std::string_view format);
// True for formats that are not checked.
bool has_format(std::string_view text, std::string_view format);

}  // namespace margay::schema
