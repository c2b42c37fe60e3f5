#include "datastore/store/snapshot.h"

#include <cstdint>
#include <utility>

#include "base/core/text.h"

namespace margay::store {
namespace {

constexpr std::string_view kMagic = "margay-snapshot 1 ";

std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 0x100000001b3;
  }
  return hash;
}

std::string hex(std::uint64_t value) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out(16, '0');
  for (std::size_t i = 16; i-- > 0; value >>= 4) out[i] = kDigits[value & 0xf];
  return out;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  Result<std::string_view> line() {
    const std::size_t end = bytes_.find('\n', offset_);
    if (end == std::string_view::npos) return wrong("the file ends inside a line");
    const std::string_view text = bytes_.substr(offset_, end - offset_);
    line_start_ = std::exchange(offset_, end + 1);
    return text;
  }
  Result<std::string_view> take(std::size_t size) {
    line_start_ = offset_;
    if (size > bytes_.size() - offset_) return wrong("the file ends inside an entry");
    const std::string_view text = bytes_.substr(offset_, size);
    offset_ += size;
    return text;
  }
  [[nodiscard]] Error wrong(std::string_view what) const { return invalid(concat("offset ", line_start_, ": ", what)); }
  [[nodiscard]] std::string_view before_line() const { return bytes_.substr(0, line_start_); }
  [[nodiscard]] bool at_end() const { return offset_ == bytes_.size(); }

 private:
  std::string_view bytes_;
  std::size_t offset_ = 0;
  std::size_t line_start_ = 0;
};

std::optional<std::uint64_t> number_after(std::string_view name, std::string_view field) {
  if (!field.starts_with(name)) return std::nullopt;
  return parse_number<std::uint64_t>(field.substr(name.size()));
}

struct Header {
  Revision revision;
  std::uint64_t entries;
};

Result<Header> read_header(Reader& reader) {
  MARGAY_ASSIGN_OR_RETURN(const std::string_view line, reader.line());
  if (!line.starts_with(kMagic)) return reader.wrong("this is no margay-snapshot of version 1");
  const auto fields = split(line.substr(kMagic.size()), ' ');
  if (fields.size() != 2) return reader.wrong("expected revision=N entries=N");
  const auto revision = number_after("revision=", fields[0]);
  const auto entries = number_after("entries=", fields[1]);
  if (!revision || !entries) return reader.wrong("expected revision=N entries=N");
  return Header{*revision, *entries};
}

Result<Entry> read_entry(Reader& reader) {
  MARGAY_ASSIGN_OR_RETURN(const std::string_view line, reader.line());
  const auto fields = split(line, ' ');
  if (fields.size() != 3) return reader.wrong("expected the revision and lengths of an entry");
  const auto revision = parse_number<Revision>(fields[0]);
  const auto key_size = parse_number<std::size_t>(fields[1]);
  const auto value_size = parse_number<std::size_t>(fields[2]);
  if (!revision || !key_size || !value_size) return reader.wrong("expected the revision and lengths of an entry");
  MARGAY_ASSIGN_OR_RETURN(const std::string_view key, reader.take(*key_size));
  MARGAY_ASSIGN_OR_RETURN(const std::string_view value, reader.take(*value_size));
  MARGAY_ASSIGN_OR_RETURN(const std::string_view newline, reader.take(1));
  if (newline != "\n") return reader.wrong("expected the end of an entry");
  return Entry{std::string(key), std::make_shared<const std::string>(value), *revision};
}

Status check_end(Reader& reader) {
  MARGAY_ASSIGN_OR_RETURN(const std::string_view line, reader.line());
  if (line != concat("end ", hex(fnv1a(reader.before_line())))) return reader.wrong("the checksum does not match");
  if (!reader.at_end()) return reader.wrong("there is something behind the end");
  return ok_status();
}

}  // namespace

std::string encode_snapshot(const Snapshot& snapshot) {
  std::string out = concat(kMagic, "revision=", snapshot.revision, " entries=", snapshot.entries.size(), '\n');
  for (const Entry& entry : snapshot.entries) {
    out += concat(entry.revision, ' ', entry.key.size(), ' ', entry.value->size(), '\n');
    out += entry.key;
    out += *entry.value;
    out += '\n';
  }
  out += concat("end ", hex(fnv1a(out)), '\n');
  return out;
}

Result<Snapshot> decode_snapshot(std::string_view bytes) {
  Reader reader(bytes);
  MARGAY_ASSIGN_OR_RETURN(const Header header, read_header(reader));
  Snapshot snapshot{header.revision, {}};
  for (std::uint64_t i = 0; i < header.entries; ++i) {
    MARGAY_ASSIGN_OR_RETURN(Entry entry, read_entry(reader));
    if (entry.revision > header.revision) return reader.wrong("an entry is newer than the snapshot");
    if (!snapshot.entries.empty() && entry.key <= snapshot.entries.back().key)
      return reader.wrong("keys are out of order");
    snapshot.entries.push_back(std::move(entry));
  }
  MARGAY_RETURN_IF_ERROR(check_end(reader));
  return snapshot;
}

}  // namespace margay::store
