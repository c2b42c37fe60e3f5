// StoreFollower: everything under a prefix of the store, first as it is, then as it changes; begins again by itself
// when the watch breaks off. For the server's own controllers.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/loop/loop.h"
#include "datastore/store/store.h"

namespace margay::server {

class StoreFollower {
 public:
  struct Events {
    // The present is about to be told from the beginning: what is known may be out of date.
    std::function<void()> on_restart;
    // `now` is null when the object is gone; `before` is null when that is not known.
    std::function<void(const std::string& key, const store::Bytes& now, const store::Bytes& before)> on_object;
    // The present has been told.
    std::function<void()> on_synced;
  };
  StoreFollower(loop::Loop& loop, store::Store& store, std::string prefix, Events events);
  void start();

 private:
  void read_page();
  void on_page(const Result<store::ListReply>& reply);
  void restart_later();

  store::Store& store_;
  std::string prefix_;
  Events events_;
  std::optional<store::Revision> revision_;
  std::string start_after_;
  std::unique_ptr<store::Watch> watch_;
  std::unique_ptr<loop::Timer> timer_;
};

}  // namespace margay::server
