// View: read-only access to a parsed document, for decoding many objects fast. Backed by simdjson: parsing touches each
// byte once and makes no allocation for each value.
//
// A Document owns a parser and its buffers and is meant to be used again for the next text; Views into it are valid
// until the next parse() or its end. A View is two words: pass by value.
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>

#include "base/core/result.h"
#include "base/json/value.h"

namespace margay::json {

class View {
 public:
  // A missing value: is_present() is false, every look-up in it is missing too.
  View() = default;

  [[nodiscard]] bool is_present() const { return document_ != nullptr; }
  // Absent and null are both "not given" in Kubernetes objects.
  [[nodiscard]] bool is_given() const;
  [[nodiscard]] Type type() const;  // kNull when missing

  [[nodiscard]] std::optional<bool> boolean() const;
  [[nodiscard]] std::optional<std::int64_t> integer() const;  // also a double without a fraction
  [[nodiscard]] std::optional<double> number() const;         // integers too
  [[nodiscard]] std::optional<std::string_view> string() const;

  // The member of that name; missing when there is none or this is no object.
  [[nodiscard]] View operator[](std::string_view name) const;

  // Range over array elements / object members; empty when this is something else.
  class Elements;
  class Members;
  [[nodiscard]] Elements elements() const;
  [[nodiscard]] Members members() const;

  [[nodiscard]] Value to_value() const;

 private:
  friend class Document;
  View(const void* document, std::size_t index) : document_(document), index_(index) {}

  const void* document_ = nullptr;
  std::size_t index_ = 0;
};

// Input iteration only: for (View element : view.elements()), for (auto [name, value] : view.members()).
class View::Elements {
 public:
  class Iterator {
   public:
    View operator*() const;
    Iterator& operator++();
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    friend class Elements;
    friend class View;
    const void* document_ = nullptr;
    std::size_t index_ = 0;
  };
  [[nodiscard]] Iterator begin() const { return begin_; }
  [[nodiscard]] Iterator end() const { return end_; }

 private:
  friend class View;
  Iterator begin_;
  Iterator end_;
};

class View::Members {
 public:
  struct Entry {
    std::string_view name;
    View value;
  };
  class Iterator {
   public:
    Entry operator*() const;
    Iterator& operator++();
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    friend class Members;
    friend class View;
    const void* document_ = nullptr;
    std::size_t index_ = 0;
  };
  [[nodiscard]] Iterator begin() const { return begin_; }
  [[nodiscard]] Iterator end() const { return end_; }

 private:
  friend class View;
  Iterator begin_;
  Iterator end_;
};

class Document {
 public:
  Document();
  ~Document();
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;

  // Copies `text` (padding is needed behind it). Errors carry the byte's line and column where that is known.
  Result<View> parse(std::string_view text, const ParseLimits& limits = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::json
