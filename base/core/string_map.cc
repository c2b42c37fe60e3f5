#include "base/core/string_map.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/core/check.h"

namespace margay {

StringMap::StringMap(std::initializer_list<Entry> entries) : StringMap(of(std::vector<Entry>(entries))) {}

StringMap StringMap::of(std::vector<Entry> entries) {
  const auto by_key = [](const Entry& a, const Entry& b) { return a.first < b.first; };
  if (!std::is_sorted(entries.begin(), entries.end(), by_key)) {
    std::stable_sort(entries.begin(), entries.end(), by_key);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i + 1 < entries.size() && entries[i + 1].first == entries[i].first) continue;
    entries[kept++] = entries[i];
  }
  entries.resize(kept);
  return pack(entries);
}

StringMap StringMap::pack(const std::vector<Entry>& sorted) {
  if (sorted.empty()) return {};
  const std::size_t table = (1 + sorted.size() * 2) * sizeof(std::uint32_t);
  std::size_t bytes = 0;
  for (const auto& [key, value] : sorted) bytes += key.size() + value.size();
  MARGAY_CHECK(table + bytes < std::numeric_limits<std::uint32_t>::max());
  return StringMap(SharedText::made(table + bytes, [&](char* out) {
    std::size_t index = 0;
    std::size_t end = table;
    const auto put_number = [&](std::size_t number) {
      const auto value = static_cast<std::uint32_t>(number);
      std::memcpy(out + index++ * sizeof value, &value, sizeof value);
    };
    put_number(sorted.size());
    for (const auto& [key, value] : sorted) {
      for (const std::string_view text : {key, value}) {
        if (!text.empty()) std::memcpy(out + end, text.data(), text.size());
        end += text.size();
        put_number(end);
      }
    }
  }));
}

std::uint32_t StringMap::number_at(std::size_t index) const {
  std::uint32_t number = 0;
  std::memcpy(&number, storage_.view().data() + index * sizeof number, sizeof number);
  return number;
}

StringMap::Entry StringMap::at(std::size_t index) const {
  const std::size_t start = index == 0 ? (1 + size() * 2) * sizeof(std::uint32_t) : number_at(index * 2);
  const std::size_t middle = number_at(index * 2 + 1);
  const std::size_t end = number_at(index * 2 + 2);
  const std::string_view all = storage_.view();
  return {all.substr(start, middle - start), all.substr(middle, end - middle)};
}

std::size_t StringMap::lower_bound(std::string_view key) const {
  std::size_t low = 0;
  std::size_t high = size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (at(middle).first < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::optional<std::string_view> StringMap::find(std::string_view key) const {
  const std::size_t index = lower_bound(key);
  if (index == size()) return std::nullopt;
  const Entry entry = at(index);
  if (entry.first != key) return std::nullopt;
  return entry.second;
}

std::vector<StringMap::Entry> StringMap::entries() const { return {begin(), end()}; }

void StringMap::set(std::string_view key, std::string_view value) {
  std::vector<Entry> changed = entries();
  changed.emplace_back(key, value);
  *this = of(std::move(changed));
}

bool StringMap::erase(std::string_view key) {
  const std::size_t index = lower_bound(key);
  if (index == size() || at(index).first != key) return false;
  std::vector<Entry> changed = entries();
  changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(index));
  *this = pack(changed);
  return true;
}

}  // namespace margay
