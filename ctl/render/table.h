// Lays text out in columns: as wide as their widest cell, three blanks between them, none at the end of a line.
//
// Rows may come later (a watch): the widths only grow, so that what is printed already stays in line as far as
// possible.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace margay::render {

class Table {
 public:
  using Row = std::vector<std::string>;

  // `bold_header`: with the terminal's escape sequences for bold around the header line.
  explicit Table(Row header, bool bold_header = false) : header_(std::move(header)), bold_header_(bold_header) {}

  // The header line; widths take `rows`, which will follow, into account.
  std::string header(const std::vector<Row>& rows);
  // A row has as many cells as the header; each is put on one line.
  std::string lines(const std::vector<Row>& rows);

 private:
  void widen(const Row& row);
  [[nodiscard]] std::string line(const Row& row) const;

  Row header_;
  bool bold_header_;
  std::vector<std::size_t> widths_;
};

}  // namespace margay::render
