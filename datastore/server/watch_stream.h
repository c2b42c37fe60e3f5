// WatchStream: answers one watch: first, where it was asked for, the present as ADDED events, then every change, with
// bookmarks in between, until its time is over, the client leaves, or it reads too slowly.
//
// A client that closes its sending side may be gone: it gets the present, if it asked for that, and the end.
//
//   listing (synthetic ADDED, page by page) ─▶ watching ─timeout▶ (last bookmark) ─▶ finished
//        └─ revision gone ─▶ ERROR event with a 410 Status ─▶ finished
//
// An object that comes to match the selectors is ADDED, one that ceases to is DELETED (as it was before). A client that
// lets more than kQueuedBytesMax pile up is cut off.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/core/random.h"
#include "base/loop/loop.h"
#include "datastore/server/call.h"
#include "datastore/server/long_answer.h"
#include "datastore/server/options.h"
#include "datastore/server/selection.h"
#include "datastore/store/store.h"

namespace margay::server {

// What is the same for all watches of a change, made once.
struct WatchSharing {
  ParsedObjects parsed;
  struct {
    store::Revision revision = 0;
    std::string key;
    std::string api_version;
    char kind = 0;
    std::string text;
  } last_event;
};

class WatchStream final : public LongAnswer {
 public:
  struct Dependencies {
    loop::Loop& loop;
    Random& random;
    store::Store& store;
    WatchSharing& sharing;
  };
  // `done` is called once, when this may be destroyed, but not before the loop's next turn.
  WatchStream(const Dependencies& dependencies, CallPtr call, ListOptions options, Selection selection,
              std::function<void()> done);
  void start() override;
  // Ends the response in order: the client may watch again.
  void finish() override;
  void drop() override;

 private:
  void tell_done();
  enum class Kind : char { kAdded = 'A', kModified = 'M', kDeleted = 'D' };

  void close();
  void on_input_end();
  void begin_response();
  void read_page();
  void on_page(Result<store::ListReply> reply);
  void watch_from(store::Revision revision);
  void on_changes(const std::vector<store::Change>& changes);
  void on_change(const store::Change& change);
  void on_progress(store::Revision revision);
  void on_error(const Error& error);
  void on_bookmark_timer();
  void on_timeout();
  void emit(Kind kind, const store::Bytes& bytes, const store::Change& change);
  std::string event_text(Kind kind, const store::Bytes& bytes, store::Revision revision);
  void send(std::string text);
  void send_bookmark(store::Revision revision, bool ends_initial_events);
  void send_failure(const Failure& failure);
  void end();

  Dependencies on_;
  CallPtr call_;
  ListOptions options_;
  Selection selection_;
  std::function<void()> done_;
  bool is_done_ = false;
  Renderer renderer_;
  std::string prefix_;
  std::optional<store::Revision> snapshot_;
  std::string start_after_;
  std::unique_ptr<store::Watch> watch_;
  std::unique_ptr<loop::Timer> bookmark_timer_;
  std::unique_ptr<loop::Timer> timeout_timer_;
  bool has_started_ = false;
  bool is_reading_ = false;
  bool is_input_over_ = false;
  bool is_ending_ = false;  // the next progress is the last thing sent
  bool is_over_ = false;
};

}  // namespace margay::server
