// Reflector: the machine that keeps a copy of one kind in step with the API server: list, then watch, and list again
// when the server no longer has the history. Input in, outputs out; no I/O, no clock, no logging.
//
//                      page with a continue token
//                           ╭──StartList──╮
//              Start        ▼             │       last page / Remove what vanished, InSync (once)
//   Idle ───StartList───▶ Listing ────────┴───────────────StartWatch──────────────────▶ Watching ◀──╮
//                           ▲ │ failed                                failed / Wait ╱   │ ▲  │       │ event: Put,
//                           Remove
//                 StartList │ ▼ Wait                                              ╱     │ │  ╰───────╯
//                       WaitingToList ◀───410 Gone, or nothing else helps / Wait ╳──────╯ │ ended in order: StartWatch
//                                                                                 ╲       │
//                                                                       WaitingToWatch ───╯ StartWatch
//
// Invariants
//   1. Level-based: for each name the last Put or Remove tells what the server had; neither comes twice for one
//   version.
//   2. Never backwards: no Put follows that is older than one before it for that name. The first list may come from a
//      server's cache (resourceVersion "0"); once anything was handed over, lists are of the most recent state, and
//      events that repeat what is known are dropped. (Versions are compared as numbers where both are numbers.)
//   3. A Remove for an object that vanished unseen comes only after a whole list without it: a list that fails in the
//      middle removes nothing.
//   4. Nothing happens without a wait after a failure: exponential backoff with full jitter, at least the server's
//      Retry-After; it starts over once a watch has held for a while.
//   5. Objects that cannot be decoded count as absent and are remembered as such. A list with an item of which not even
//      the name can be read removes nothing: it may be any of those that seem to have vanished.
//
// Source: Kubernetes API concepts, "Efficient detection of changes", "Retrieving large results sets in chunks".
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "absl/container/btree_map.h"
#include "absl/container/inlined_vector.h"
#include "base/core/random.h"
#include "base/core/time.h"
#include "datastore/kube/client.h"
#include "datastore/watch/name_key.h"
#include "datastore/watch/version.h"

namespace margay::watch {

struct ReflectorConfig {
  std::string label_selector{};
  std::string field_selector{};
  std::string first_version = "0";  // "0": the first list may be a little old; "": it is the most recent
  std::int64_t page_size = 500;     // servers may give more
  Duration backoff_min = std::chrono::milliseconds(200);
  Duration backoff_max = std::chrono::seconds(30);
  Duration backoff_reset_after = std::chrono::seconds(5);  // a watch that held this long was a success
  Duration watch_timeout_min = std::chrono::minutes(5);    // asked of the server: between this and twice this
};

// What happened. Names and versions are those of the object at hand.
struct Start {};
struct Listed {  // an item of the list under way
  kube::ObjectName name;
  std::string version;
  bool is_valid = true;  // ignored when is_news() was false
};
struct ListedUnreadable {};  // an item of the list under way of which not even the name can be read
struct ListDone {
  kube::ListMeta meta;
};
struct ListFailed {
  kube::ApiError error;
};
struct Watched {  // an event of the watch under way
  kube::WatchEvent::Kind kind = kube::WatchEvent::Kind::kAdded;
  kube::ObjectName name;
  std::string version;
  bool is_valid = true;
};
struct WatchDone {};  // ended in order
struct WatchFailed {
  kube::ApiError error;
};
struct TimerFired {};
using Input =
    std::variant<Start, Listed, ListedUnreadable, ListDone, ListFailed, Watched, WatchDone, WatchFailed, TimerFired>;

// What to do, in this order.
struct StartList {
  kube::ListOptions options;
};
struct StartWatch {
  kube::WatchOptions options;
};
struct Wait {  // then TimerFired
  Duration duration;
};
struct Put {};  // the object of this input replaces what is held under its name
struct Remove {
  kube::ObjectName name;
};
struct InSync {};  // once: all that a whole list had was handed over
struct Report {    // for people; comes with a Wait
  kube::ApiError error;
  bool is_relist = false;
};
using Output = std::variant<StartList, StartWatch, Wait, Put, Remove, InSync, Report>;
using Outputs = absl::InlinedVector<Output, 1>;

class Reflector {
 public:
  enum class State { kIdle, kListing, kWatching, kWaitingToList, kWaitingToWatch };

  // `random` outlives the reflector.
  Reflector(ReflectorConfig config, Random& random) : config_(std::move(config)), random_(random) {}

  // An input that does not belong to the state (a late item, a second Start) has no outputs.
  Outputs step(const Input& input, TimePoint now);

  // Whether an object of this version is other than what was handed over: if not, decoding it can be spared.
  [[nodiscard]] bool is_news(const kube::ObjectName& name, std::string_view version) const;

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool is_in_sync() const { return is_in_sync_; }
  // Where the watch stands.
  [[nodiscard]] const std::string& version() const { return version_; }
  [[nodiscard]] std::size_t known_count() const { return known_.size(); }

 private:
  struct Known {
    Version version;
    std::uint32_t list_number = 0;  // the last list that had it
    bool is_present = false;        // false: it is there but cannot be decoded
  };

  void on(const Start&, TimePoint, Outputs& outputs);
  void on(const Listed& item, TimePoint, Outputs& outputs);
  void on(const ListedUnreadable&, TimePoint, Outputs& outputs);
  void on(const ListDone& done, TimePoint now, Outputs& outputs);
  void on(const ListFailed& failed, TimePoint, Outputs& outputs);
  void on(const Watched& event, TimePoint, Outputs& outputs);
  void on(const WatchDone&, TimePoint now, Outputs& outputs);
  void on(const WatchFailed& failed, TimePoint now, Outputs& outputs);
  void on(const TimerFired&, TimePoint now, Outputs& outputs);

  void begin_list(Outputs& outputs);
  void begin_watch(TimePoint now, Outputs& outputs);
  void finish_list(TimePoint now, Outputs& outputs);
  void take(const kube::ObjectName& name, const std::string& version, bool is_valid, Outputs& outputs);
  void remove(const Watched& event, Outputs& outputs);
  void wait(State next, kube::ApiError error, Outputs& outputs);
  void note_watch_end(TimePoint now);
  [[nodiscard]] bool must_relist(const kube::ApiError& error) const;
  [[nodiscard]] bool is_repeat(const Watched& event) const;

  ReflectorConfig config_;
  Random& random_;
  State state_ = State::kIdle;
  absl::btree_map<NameKey, Known, NameKey::Less> known_;
  std::string version_;       // of the last whole list, then of the last event
  std::string page_version_;  // of the list under way; "" before its first page is over
  std::uint32_t list_number_ = 0;
  bool has_handed_over_ = false;
  bool is_in_sync_ = false;
  bool has_unreadable_ = false;  // in the list under way
  bool is_unpaged_ = false;      // the next list is asked for whole, as paging did not work out
  int failures_ = 0;             // in a row
  int watch_refusals_ = 0;       // in a row, by a server that did answer
  TimePoint watch_begun_{};
  std::string watch_from_;  // version_ when the watch began
};

}  // namespace margay::watch
