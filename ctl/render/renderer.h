// Renderers: objects in, text for standard output back. One for each -o.
//
// all() shows a whole answer; next() one more object of a watch, after all() or alone.
#pragma once

#include <memory>
#include <string>

#include "base/core/result.h"
#include "base/core/time.h"
#include "ctl/render/format.h"
#include "ctl/render/item.h"

namespace margay::render {

struct Options {
  bool as_list = true;          // false: one object was asked for by name and stands alone
  bool with_namespace = false;  // tables: a NAMESPACE column for kinds that have one
  bool with_kind = false;       // tables: KIND/ before names, when several kinds were asked for
  bool with_labels = false;     // tables: a LABELS column at the end
  bool no_headers = false;
  bool bold_headers = false;
  WallTime now = {};
  std::string global_as_number = "64512";
};

class Renderer {
 public:
  virtual ~Renderer() = default;
  virtual Result<std::string> all(const Items& items) = 0;
  virtual Result<std::string> next(const Item& item) = 0;
};

// The error is about the format: a template that cannot be read.
Result<std::unique_ptr<Renderer>> make_renderer(const Format& format, const Options& options);

// "ippool.projectcalico.org/main", "node/worker-1".
std::string object_name(const Item& item);

// A v1 List of the objects.
json::Value as_list(const Items& items);

}  // namespace margay::render
