// -o table, -o wide and -o custom-columns. Not for use outside this folder.
#pragma once

#include <memory>

#include "ctl/render/renderer.h"

namespace margay::render {

std::unique_ptr<Renderer> make_table_renderer(bool wide, const Options& options);

// `columns`: "HEADER:.json.path,HEADER:.json.path".
Result<std::unique_ptr<Renderer>> make_custom_columns_renderer(std::string_view columns, const Options& options);

}  // namespace margay::render
