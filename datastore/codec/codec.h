// From JSON to the structs of datastore/model and back.
//
// Every kind of the model (model::Kind) has decode and encode; T is its struct. Pure; any thread.
#pragma once

#include <memory>

#include "base/core/field_error.h"
#include "base/core/text_pool.h"
#include "base/json/value.h"
#include "base/json/view.h"

namespace margay::codec {

// Fills `out` from the object, whatever `out` held before. All errors at once, each with its path, what was found and
// what would be right; what was wrong has its default in `out`. Only types and texts of single values are looked at:
// for rules between them see validate.h. apiVersion and kind are not looked at, members without a field are passed
// over.
template <class T>
FieldErrors decode(json::View object, T& out);

// The same, with the texts that many objects have in common (SharedText, labels) taken from the pool. For kinds that
// come in great numbers: model::Pod.
template <class T>
FieldErrors decode_sharing(json::View object, T& out, TextPool& pool);

// decode_sharing with a pool of its own, as the decoder of a watch.
template <class T>
class SharingDecoder {
 public:
  FieldErrors operator()(json::View object, T& out) const { return decode_sharing(object, out, *pool_); }

 private:
  std::shared_ptr<TextPool> pool_ = std::make_shared<TextPool>();
};

// Writes `object` over `into`, which may be null, with apiVersion and kind. What `into` has and the struct has no field
// for stays, and so does what says the same in other words: a read-modify-write changes nothing else.
template <class T>
void encode(const T& object, json::Value& into);

}  // namespace margay::codec
