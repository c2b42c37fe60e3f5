#include "datastore/codec/meta_fields.h"

#include "datastore/codec/archive.h"

namespace margay::codec {

template <class Archive, Is<model::OwnerReference> S>
void fields(Archive& a, S& s) {
  a.required("apiVersion", s.api_version);
  a.required("kind", s.kind);
  a.required("name", s.name);
  a.required("uid", s.uid);
  a.field("controller", s.controller);
  a.field("blockOwnerDeletion", s.block_owner_deletion);
}

template <class Archive, Is<model::SecretKeySelector> S>
void fields(Archive& a, S& s) {
  a.field("name", s.name);
  a.required("key", s.key);
  a.field("optional", s.optional);
}

template <class Archive, Is<model::LabelTerm> S>
void fields(Archive& a, S& s) {
  a.required("key", s.key);
  a.required("operator", s.op);
  a.field("values", s.values);
}

namespace {

template <class Archive, class S>
void meta_fields(Archive& a, S& s) {
  a.field("name", s.name);
  a.field("generateName", s.generate_name);
  a.field("namespace", s.name_space);
  a.field("uid", s.uid);
  a.field("resourceVersion", s.resource_version);
  a.field("generation", s.generation);
  a.field("creationTimestamp", s.creation_timestamp);
  a.field("deletionTimestamp", s.deletion_timestamp);
  a.field("labels", s.labels);
  a.field("annotations", s.annotations);
  a.field("ownerReferences", s.owner_references);
  a.field("finalizers", s.finalizers);
}

template <class Archive, class S>
void condition_fields(Archive& a, S& s) {
  a.required("type", s.type);
  a.required("status", s.status);
  a.field("observedGeneration", s.observed_generation);
  a.field("lastTransitionTime", s.last_transition_time);
  a.field("reason", s.reason);
  a.field("message", s.message);
}

template <class Archive, class S>
void label_fields(Archive& a, S& s) {
  a.field("matchLabels", s.match_labels);
  a.field("matchExpressions", s.match_expressions);
}

}  // namespace

void fields(Reader& a, model::ObjectMeta& s) { meta_fields(a, s); }
void fields(Writer& a, const model::ObjectMeta& s) { meta_fields(a, s); }
void fields(Reader& a, model::Condition& s) { condition_fields(a, s); }
void fields(Writer& a, const model::Condition& s) { condition_fields(a, s); }
void fields(Reader& a, model::ConditionsStatus& s) { a.field("conditions", s.conditions); }
void fields(Writer& a, const model::ConditionsStatus& s) { a.field("conditions", s.conditions); }
void fields(Reader& a, model::SecretReference& s) { a.field("secretKeyRef", s.secret_key_ref); }
void fields(Writer& a, const model::SecretReference& s) { a.field("secretKeyRef", s.secret_key_ref); }
void fields(Reader& a, model::LabelTerms& s) { label_fields(a, s); }
void fields(Writer& a, const model::LabelTerms& s) { label_fields(a, s); }

}  // namespace margay::codec
