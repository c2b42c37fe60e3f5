// ListStream: answers one list, page by page out of the store, so that neither the list nor its text is ever in memory
// whole. All pages come from the snapshot of the first.
//
//   reading page ─▶ writing it ─(queue empty)▶ reading the next … ─▶ done
//
// What fits one page is sent with its length; longer lists are chunked. A list with a limit is collected first, because
// its metadata says how to go on.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "datastore/server/call.h"
#include "datastore/server/long_answer.h"
#include "datastore/server/options.h"
#include "datastore/server/selection.h"
#include "datastore/store/store.h"

namespace margay::server {

class ListStream final : public LongAnswer {
 public:
  // `done` is called once, when this may be destroyed, but not before the loop's next turn.
  ListStream(store::Store& store, CallPtr call, ListOptions options, Selection selection, std::function<void()> done);
  void start() override;

 private:
  void close();
  void tell_done();
  ApiStatus begin();
  void read_page();
  void on_page(Result<store::ListReply> reply);
  void fail(const Failure& failure);
  void take(const store::ListReply& page);
  void after_page(const store::ListReply& page);
  void finish_limited(const store::ListReply& page);
  void send_rest(bool is_last);

  store::Store& store_;
  CallPtr call_;
  ListOptions options_;
  Selection selection_;
  std::function<void()> done_;
  bool is_done_ = false;
  Renderer renderer_;
  ParsedObjects parsed_;
  std::string prefix_;
  std::optional<store::Revision> revision_;  // of the snapshot, once known
  std::string start_after_;
  std::string items_;  // text not yet handed over
  std::size_t taken_ = 0;
  bool is_streaming_ = false;
  bool is_reading_ = false;
  bool is_closed_ = false;
};

}  // namespace margay::server
