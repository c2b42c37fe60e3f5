// The field list of Rule. For this folder's own .cc files.
#pragma once

#include "datastore/model/rule.h"

namespace margay::codec {

class Reader;
class Writer;

void fields(Reader& a, model::Rule& s);
void fields(Writer& a, const model::Rule& s);

}  // namespace margay::codec
