// Answers of an API server, taken as a LIST and as a WATCH: cut into pieces anywhere, they give what they give whole; a
// list that parses as one is split as one.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/check.h"
#include "base/json/value.h"
#include "datastore/kube/list_splitter.h"
#include "datastore/kube/watch_splitter.h"

namespace {

using margay::kube::ListSplitter;
using margay::kube::WatchSplitter;

struct Split {
  std::vector<std::string> parts;
  std::string error;
  friend bool operator==(const Split&, const Split&) = default;
};

template <class Splitter, class Take>
Split split(Splitter splitter, std::string_view text, std::size_t piece_size, Take take) {
  Split out;
  while (!text.empty()) {
    const std::string piece(text.substr(0, piece_size));  // a copy, so that reading behind its end is seen
    text.remove_prefix(piece.size());
    splitter.feed(piece);
    while (take(splitter, out)) {
    }
  }
  const auto end = splitter.finish();
  if (!end.ok()) out.error = end.error().message;
  return out;
}

Split split_list(std::string_view text, std::size_t piece_size) {
  return split(ListSplitter(), text, piece_size, [](ListSplitter& splitter, Split& out) {
    if (splitter.next() != ListSplitter::Step::kItem) return false;
    out.parts.emplace_back(splitter.item());
    return true;
  });
}

Split split_watch(std::string_view text, std::size_t piece_size) {
  return split(WatchSplitter(), text, piece_size, [](WatchSplitter& splitter, Split& out) {
    if (splitter.next() != WatchSplitter::Step::kEvent) return false;
    out.parts.emplace_back(std::string(splitter.event().type) + std::string(splitter.event().object));
    return true;
  });
}

bool is_list_of_objects(const margay::json::Value& value) {
  const margay::json::Value* items = value.find("items");
  return items != nullptr && items->as_array() != nullptr &&
         std::all_of(items->as_array()->begin(), items->as_array()->end(),
                     [](const margay::json::Value& item) { return item.as_object() != nullptr; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Split list = split_list(text, size + 1);
  const Split watch = split_watch(text, size + 1);
  const std::size_t some = size == 0 ? 1 : 1 + data[size - 1] % 80;
  for (const std::size_t piece_size : {std::size_t{1}, std::size_t{7}, some}) {
    MARGAY_CHECK(split_list(text, piece_size) == list);
    MARGAY_CHECK(split_watch(text, piece_size) == watch);
  }
  const auto value = margay::json::parse(text);
  // A name with escapes ("\u0069tems") is another name to the splitter.
  if (value.ok() && is_list_of_objects(*value) && text.find('\\') == std::string_view::npos) {
    MARGAY_CHECK(list.error.empty() && list.parts.size() == value->find("items")->as_array()->size());
  }
  return 0;
}
