// EtcdClient: requests to whichever member of an etcd cluster answers.
//
// A member that fails is passed over until a health check of it succeeds; reads go on to the next member, changes only
// while no member can have seen them. Every call ends within `timeout` for each member tried.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/core/task.h"
#include "base/http/client.h"
#include "base/loop/loop.h"
#include "base/loop/stream.h"
#include "datastore/store/deferred.h"

namespace margay::store::etcd {

struct ClientConfig {
  std::vector<loop::Endpoint> endpoints;  // at least one
  std::optional<loop::TlsClientConfig> tls;
  Duration timeout = std::chrono::seconds(5);
  Duration health_interval = std::chrono::seconds(2);
};

enum class Safety { kRead, kChange };

class Client {
 public:
  Client(loop::Loop& loop, loop::Network& network, ClientConfig config);
  ~Client();

  // The body of a 200; `done` never runs from inside the call.
  void call(std::string path, std::string body, Safety safety, Callback<void(Result<std::string>)> done);

  // An answer that goes on; destroying it ends it, no callback runs afterwards.
  struct StreamEvents {
    Callback<void(std::string_view line)> on_line;
    Callback<void(Error error)> on_end;  // once, last
  };
  class Stream {
   public:
    virtual ~Stream() = default;
  };
  std::unique_ptr<Stream> stream(std::string path, std::string body, StreamEvents events);

 private:
  struct Member;
  struct Call;
  class StreamImpl;

  void attempt(std::uint64_t id);
  void finished(std::uint64_t id, const Status& outcome);
  void complete(std::uint64_t id, Result<std::string> result);
  void mark_down(std::size_t member);
  void check_health();
  std::size_t pick() const;
  static http::Request request(std::string path, std::string body);

  loop::Loop& loop_;
  ClientConfig config_;
  std::vector<std::unique_ptr<Member>> members_;
  std::size_t preferred_ = 0;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, std::unique_ptr<Call>> calls_;
  Deferred deferred_;
  std::unique_ptr<loop::Timer> health_timer_;
};

}  // namespace margay::store::etcd
