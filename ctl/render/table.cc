#include "ctl/render/table.h"

#include <algorithm>

#include "base/core/check.h"
#include "ctl/render/width.h"

namespace margay::render {
namespace {

constexpr std::size_t kGap = 3;

}  // namespace

std::string Table::header(const std::vector<Row>& rows) {
  widen(header_);
  for (const Row& row : rows) widen(row);
  if (!bold_header_) return line(header_);
  std::string text = line(header_);
  text.pop_back();
  return "\x1b[1m" + text + "\x1b[0m\n";
}

std::string Table::lines(const std::vector<Row>& rows) {
  for (const Row& row : rows) widen(row);
  std::string out;
  for (const Row& row : rows) out.append(line(row));
  return out;
}

void Table::widen(const Row& row) {
  MARGAY_CHECK(row.size() == header_.size());
  widths_.resize(header_.size());
  for (std::size_t i = 0; i < row.size(); ++i) {
    widths_[i] = std::max(widths_[i], display_width(on_one_line(row[i])));
  }
}

std::string Table::line(const Row& row) const {
  std::string out;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::string cell = on_one_line(row[i]);
    out.append(cell);
    if (i + 1 < row.size()) out.append(widths_[i] - display_width(cell) + kGap, ' ');
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out.append("\n");
}

}  // namespace margay::render
