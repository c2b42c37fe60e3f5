// AskRunner: puts clean-up's questions to the API server. Thread: the loop's; answers come from later turns, and none
// after its destructor, or after drop_all().
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "controllers/ipam/asks.h"
#include "datastore/kube/client.h"

namespace margay::controllers {

class AskRunner {
 public:
  using Done = std::function<void(Told told)>;
  explicit AskRunner(kube::Client& client) : client_(client) {}

  void run(const Ask& ask, Done done);
  void drop_all() { operations_.clear(); }
  [[nodiscard]] std::uint64_t writes() const { return writes_; }

 private:
  void put(const ipam::Call& call, Done done);
  template <class T>
  void put_object(ipam::Verb verb, const T& object, Done done);
  template <class T>
  void read(const kube::ObjectName& name, Done done);
  template <class T>
  kube::ObjectDone decoder(std::uint64_t id, Done done);

  kube::Client& client_;
  std::uint64_t last_ = 0, writes_ = 0;
  std::map<std::uint64_t, kube::OperationPtr> operations_;
};

}  // namespace margay::controllers
