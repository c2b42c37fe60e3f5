// The field lists of structs that many kinds share. For this folder's own .cc files.
#pragma once

#include "datastore/model/meta.h"

namespace margay::codec {

class Reader;
class Writer;

void fields(Reader& a, model::ObjectMeta& s);
void fields(Writer& a, const model::ObjectMeta& s);
void fields(Reader& a, model::Condition& s);
void fields(Writer& a, const model::Condition& s);
void fields(Reader& a, model::ConditionsStatus& s);
void fields(Writer& a, const model::ConditionsStatus& s);
void fields(Reader& a, model::SecretReference& s);
void fields(Writer& a, const model::SecretReference& s);
void fields(Reader& a, model::LabelTerms& s);
void fields(Writer& a, const model::LabelTerms& s);

}  // namespace margay::codec
