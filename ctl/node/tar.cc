#include "ctl/node/tar.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

namespace margay::node {
namespace {

constexpr std::size_t kBlock = 512;

// The ustar header.
struct Header {
  std::array<char, 100> name{};
  std::array<char, 8> mode{};
  std::array<char, 8> uid{};
  std::array<char, 8> gid{};
  std::array<char, 12> size{};
  std::array<char, 12> mtime{};
  std::array<char, 8> checksum{};
  char type = '0';
  std::array<char, 100> link{};
  std::array<char, 8> magic{'u', 's', 't', 'a', 'r', 0, '0', '0'};
  std::array<char, 32> user{'r', 'o', 'o', 't'};
  std::array<char, 32> group{'r', 'o', 'o', 't'};
  std::array<char, 16> device{};
  std::array<char, 155> prefix{};
  std::array<char, 12> rest{};
};
static_assert(sizeof(Header) == kBlock);

// Octal digits with zeros before them; the last byte stays zero.
template <std::size_t Size>
void put_octal(std::array<char, Size>& field, std::uint64_t value) {
  for (std::size_t i = Size - 1; i-- > 0;) {
    field[i] = static_cast<char>('0' + (value & 7U));
    value >>= 3U;
  }
}

template <std::size_t Size>
void put_text(std::array<char, Size>& field, std::string_view text) {
  std::memcpy(field.data(), text.data(), text.size());
}

bool put_path(Header& header, std::string_view path) {
  if (path.empty()) return false;
  if (path.size() <= header.name.size()) {
    put_text(header.name, path);
    return true;
  }
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    if (slash > header.prefix.size() || path.size() - slash - 1 > header.name.size()) continue;
    put_text(header.prefix, path.substr(0, slash));
    put_text(header.name, path.substr(slash + 1));
    return true;
  }
  return false;
}

}  // namespace

bool Tar::add(std::string_view path, std::string_view content) {
  Header header;
  if (!put_path(header, path)) return false;
  put_octal(header.mode, 0600);
  put_octal(header.uid, 0);
  put_octal(header.gid, 0);
  put_octal(header.size, content.size());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch()).count();
  put_octal(header.mtime, static_cast<std::uint64_t>(seconds < 0 ? 0 : seconds));
  // The sum of all bytes, with blanks where the sum will stand.
  header.checksum.fill(' ');
  std::array<unsigned char, kBlock> bytes{};
  std::memcpy(bytes.data(), &header, kBlock);
  std::uint64_t sum = 0;
  for (const unsigned char byte : bytes) sum += byte;
  header.checksum.fill(0);
  put_octal(header.checksum, sum);
  bytes_.append(reinterpret_cast<const char*>(&header), kBlock);
  bytes_.append(content);
  bytes_.append((kBlock - content.size() % kBlock) % kBlock, '\0');
  return true;
}

std::string Tar::finish() && {
  bytes_.append(2 * kBlock, '\0');
  return std::move(bytes_);
}

}  // namespace margay::node
