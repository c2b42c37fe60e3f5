// ObjectWriter: brings an API server to a set of objects, many requests at a time, and knows what a watcher will have
// seen once it is up to date.
//
// Namespaces are never removed (what removing one sets off goes on by itself). Objects of others are left alone.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/json/value.h"
#include "datastore/kube/client.h"
#include "datastore/model/key.h"

namespace margay::test {

// Whole objects; a Pod's or a Node's status is written, too.
using ObjectMap = std::map<model::ObjectKey, json::Value>;

// What a watcher of one resource ("pods", "tiers.projectcalico.org") has once it has seen all that was written.
struct Watched {
  std::int64_t version = 0;  // at least
  std::size_t objects = 0;   // exactly; counts only where something was removed since
  bool is_counted = false;
};

class ObjectWriter {
 public:
  explicit ObjectWriter(const std::string& kubeconfig);
  ~ObjectWriter();
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;

  // Afterwards the server has these objects of ours, and no others of ours but namespaces. What it refuses is returned,
  // one line each, and is written again the next time.
  std::vector<std::string> bring_to(const ObjectMap& wanted);
  // One object more, or in another form; nullptr: gone.
  std::vector<std::string> put(const model::ObjectKey& key, const json::Value* object);
  [[nodiscard]] const ObjectMap& written() const;
  [[nodiscard]] const std::map<std::string, Watched>& watched() const;
  // Notices that the server has begun anew, so that the next write does not go into a connection that is gone.
  void reconnect();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::test
