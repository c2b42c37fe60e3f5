// What clean-up asks of the API server, one thing at a time, and what it is told. Reads are live: they see the newest
// state, whatever a watch has shown. Values.
#pragma once

#include <string>
#include <variant>

#include "base/core/result.h"
#include "cni/ipam/calls.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/pod.h"

namespace margay::controllers {

struct ReadPod {
  std::string name_space;
  std::string name;
};
struct ReadNode {
  std::string name;
};
using Ask = std::variant<ipam::Call, ReadPod, ReadNode>;

// kNotFound: there is none. What cannot be read as what it should be is kInvalid: it is there.
using Told = Result<std::variant<ipam::Object, model::Pod, model::Node>>;

inline bool is_absent(const Told& told) { return !told.ok() && told.error().code == ErrorCode::kNotFound; }
// As the machines of cni/ipam take it.
inline ipam::Answer to_answer(Told told) {
  if (!told.ok()) return told.error();
  if (auto* object = std::get_if<ipam::Object>(&*told)) return std::move(*object);
  return Error{ErrorCode::kInternal, "an answer to another question"};
}

}  // namespace margay::controllers
