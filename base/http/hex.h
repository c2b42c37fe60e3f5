// hex_value: what a hexadecimal digit counts; -1 for any other character. For chunk sizes (RFC 9112 §7.1) and percent
// encoding (RFC 3986 §2.1).
#pragma once

namespace margay::http {

constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace margay::http
