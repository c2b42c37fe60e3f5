// Kinds out of the CustomResourceDefinition files of a folder (--crd-dir).
#pragma once

#include <cstddef>
#include <string>

#include "base/core/result.h"
#include "datastore/schema/registry.h"

namespace margay::apiserver {

// Every .yaml, .yml and .json file of the folder, in order of their names; the number of definitions. The error names
// the file. Documents of other kinds are errors, too.
Result<std::size_t> load_crd_dir(const std::string& folder, schema::Registry& registry);

}  // namespace margay::apiserver
