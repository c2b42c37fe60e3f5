// The definitions of decode and encode (codec.h), for the .cc files that have field lists: each ends with explicit
// instantiations for its kinds.
#pragma once

#include "datastore/codec/archive.h"
#include "datastore/codec/codec.h"
#include "datastore/codec/meta_fields.h"
#include "datastore/model/key.h"

namespace margay::codec {

template <class T>
FieldErrors decode(json::View object, T& out) {
  FieldErrors errors;
  out = T{};
  read(Input{object, nullptr, &errors}, out);
  return errors;
}

template <class T>
FieldErrors decode_sharing(json::View object, T& out, TextPool& pool) {
  FieldErrors errors;
  out = T{};
  read(Input{.view = object, .errors = &errors, .pool = &pool}, out);
  return errors;
}

template <class T>
void encode(const T& object, json::Value& into) {
  if (into.as_object() == nullptr) into = json::Value(json::Object());
  const model::KindInfo& kind = model::info(T::kKind);
  into["apiVersion"] = json::Value(kind.api_version);
  into["kind"] = json::Value(kind.name);
  write(Output{into}, object);
}

// metadata, spec and status, as most kinds have them.
template <class Archive, class S>
void object_fields(Archive& a, S& s) {
  a.field("metadata", s.metadata);
  if constexpr (requires { s.spec; }) a.field("spec", s.spec);
  if constexpr (requires { s.status; }) a.field("status", s.status);
}

}  // namespace margay::codec
