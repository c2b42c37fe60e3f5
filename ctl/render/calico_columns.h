// The tables of calicoctl, kind by kind (docs of `calicoctl get`). Not for use outside this folder.
#pragma once

#include <vector>

#include "ctl/render/columns.h"

namespace margay::render {

// Empty for kinds that calicoctl has no table of.
std::vector<Column> calico_columns(const schema::ResourceInfo& resource, const ColumnOptions& options);

}  // namespace margay::render
