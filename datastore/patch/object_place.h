// ObjectPlace: where a walk through an object is, and what the values there consist of. Inside this folder only.
//
// Fields are told apart down to kFieldDepthMax members; what is deeper is one value. A field set nests twice as deep as
// its object at most, and it has to be read again within the depth that JSON may have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "datastore/patch/list_types.h"

namespace margay::patch {

inline constexpr std::size_t kFieldDepthMax = 40;

// What a value is for the owner of its fields.
struct Shape {
  enum class Kind {
    kLeaf,    // one value
    kObject,  // its members are owned each on its own
    kList,    // its elements are
  };
  Kind kind = Kind::kLeaf;
  std::vector<std::string> elements;  // kList: one for each element

  [[nodiscard]] bool is_leaf() const { return kind == Kind::kLeaf; }
};

class ObjectPlace {
 public:
  explicit ObjectPlace(const ListTypes& types) : types_(types) {}

  [[nodiscard]] Shape shape_of(const json::Value& value) const;
  [[nodiscard]] ListType list_type() const;

  // Runs `visit` at the member of that name, which must outlive the visit.
  template <class Visit>
  decltype(auto) at_member(std::string_view name, const Visit& visit) {
    const Step step(path_, name);
    return visit();
  }

 private:
  struct Step {
    Step(std::vector<std::string_view>& path, std::string_view name) : path_(path) { path_.push_back(name); }
    ~Step() { path_.pop_back(); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;
    std::vector<std::string_view>& path_;
  };

  [[nodiscard]] bool is_in_metadata() const { return !path_.empty() && path_.front() == "metadata"; }
  [[nodiscard]] bool is_atomic_object() const;

  const ListTypes& types_;
  std::vector<std::string_view> path_;
};

}  // namespace margay::patch
