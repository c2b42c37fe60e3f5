// One whole object of each kind, from testdata/, for tests: every field of the struct is there, in the form that encode
// gives it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json/value.h"
#include "datastore/model/key.h"

namespace margay::codec::samples {

// Aborts when it cannot be read.
json::Value load(model::Kind kind);

// A place in a document: "spec.ingress[0].action", and how to get there.
struct Leaf {
  std::string path;
  std::vector<std::string> steps;  // names, or indices as text
};
// Every value but objects and lists; and the empty ones of those.
std::vector<Leaf> leaves_of(const json::Value& document);
json::Value& at(json::Value& document, const Leaf& leaf);

// Calls `visit` for every object in the document that has fields: not for maps such as labels.
void for_each_struct(json::Value& document, const std::function<void(json::Object&)>& visit);

}  // namespace margay::codec::samples
