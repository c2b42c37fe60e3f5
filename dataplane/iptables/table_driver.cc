#include "dataplane/iptables/table_driver.h"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "base/core/text.h"
#include "dataplane/iptables/chain_edit.h"
#include "dataplane/iptables/chain_set.h"
#include "dataplane/iptables/commands.h"
#include "dataplane/iptables/hook_set.h"
#include "dataplane/iptables/transaction.h"

namespace margay::iptables {
namespace {

// Programs that one apply() runs at most; what is left waits for the next.
constexpr int kRunsMax = 64;
// Ends by a signal, in a row, until one chain is taken to be the cause rather than the machine.
constexpr int kCrashesMax = 3;

struct Plan {
  explicit Plan(Table table) : transaction(table) {}
  Transaction transaction;
  std::vector<std::string> chains;
  std::vector<std::string> removals;
  std::vector<DueHook> hooks;
};

struct Work {
  DueChain chain;
  std::vector<Edit> edits;
  bool refills = false;  // emptied and written anew: fewer lines than the edits
};

Work work_for(const DueChain& chain) {
  Work work{.chain = chain, .edits = {}};
  if (chain.actual != nullptr) work.edits = edits_between(chain.actual->marks, chain.wanted->marks);
  work.refills = chain.actual == nullptr || work.edits.size() > chain.wanted->marks.size() + 1;
  return work;
}

void write_work(const Work& work, Transaction& out) {
  const std::string& name = *work.chain.name;
  const ChainContent& wanted = *work.chain.wanted;
  const auto rule = [&](std::size_t i) { return full_spec(wanted.marks[i], wanted.chain->rules[i]); };
  out.begin({Owner::Kind::kChain, name});
  if (work.refills) {
    for (std::size_t i = 0; i < wanted.marks.size(); ++i) out.line("-A ", name, " ", rule(i));
    return;
  }
  for (const Edit& edit : work.edits) {
    const std::string place = concat(" ", edit.position);
    switch (edit.what) {
      case Edit::What::kAppend: out.line("-A ", name, " ", rule(edit.wanted)); break;
      case Edit::What::kInsert: out.line("-I ", name, place, " ", rule(edit.wanted)); break;
      case Edit::What::kReplace: out.line("-R ", name, place, " ", rule(edit.wanted)); break;
      case Edit::What::kDelete: out.line("-D ", name, place); break;
    }
  }
}

// All are declared before the first rule that may refer to one of them.
void add_chains(const std::vector<DueChain>& due, Plan& plan) {
  std::vector<Work> works;
  works.reserve(due.size());
  for (const DueChain& chain : due) {
    works.push_back(work_for(chain));
    plan.chains.push_back(*chain.name);
  }
  for (const Work& work : works) {
    if (!work.refills) continue;
    plan.transaction.begin({Owner::Kind::kChain, *work.chain.name});
    plan.transaction.line(":", *work.chain.name, " - -");
  }
  for (const Work& work : works) write_work(work, plan.transaction);
}

// All are emptied before the first one goes: they may refer to each other.
void add_removals(std::vector<std::string> names, Plan& plan) {
  for (const char* const verb : {"-F ", "-X "}) {
    for (const std::string& name : names) {
      plan.transaction.begin({Owner::Kind::kRemoval, name});
      plan.transaction.line(verb, name);
    }
  }
  plan.removals = std::move(names);
}

}  // namespace

class TableDriver::Impl {
 public:
  Impl(exec::Runner& runner, const TableId& table, const TableDriverConfig& config)
      : runner_(runner), table_(table), config_(config), chains_(table.table), hooks_(config.insert_mode) {}

  void set_hook(const std::string& kernel_chain, const Hook& hook);
  dataplane::ApplyReport apply(TimePoint now);
  [[nodiscard]] std::optional<TimePoint> next_check() const;

  exec::Runner& runner_;
  TableId table_;
  TableDriverConfig config_;
  ChainSet chains_;
  HookSet hooks_;
  TableStatistics statistics_;
  bool may_remove_ = false;
  bool needs_read_ = true;
  bool is_applied_ = false;
  bool retries_now_ = false;
  bool is_backend_new_ = false;

 private:
  // What became of a transaction.
  struct Sent {
    bool is_done = false;
    bool is_hopeless = false;  // not because of what is in it
    Error error{};
    std::vector<Owner> owners{};  // of the lines that were refused
  };
  // One apply().
  struct Round {
    TimePoint now;
    dataplane::ApplyReport report{};
    bool was_read = false;
    int runs = 0;
  };

  Status read(Round& round);
  Status write(Round& round);
  Status write_apart(Round& round);
  void write_pieces(Round& round, std::span<const std::string> names);
  Plan plan_all();
  Plan plan_of(std::span<const std::string> names);
  Sent send(Round& round, const Plan& plan);
  Sent explain(const exec::Command& command, const exec::Finished& finished, const Plan& plan);
  void note_done(Round& round, const Plan& plan);
  void watch_write(const Round& round);
  bool blame(const Sent& sent);
  void refuse_chain(const std::string& name, const Error& error);
  void finish(Round& round, const Status& done);

  std::optional<TimePoint> refresh_at_;
  std::optional<TimePoint> check_written_at_;
  std::optional<TimePoint> retry_at_;
  bool was_ever_read_ = false;
  bool is_unfinished_ = false;  // the last apply() ran as many programs as it may
  int crashes_ = 0;
  dataplane::Backoff backoff_{std::chrono::milliseconds(100), std::chrono::seconds(30)};
};

void TableDriver::Impl::set_hook(const std::string& kernel_chain, const Hook& hook) {
  const std::vector<std::string> before = hooks_.targets(kernel_chain);
  hooks_.set(kernel_chain, hook);
  for (const std::string& target : hooks_.targets(kernel_chain)) chains_.add_reference(target, 1);
  for (const std::string& target : before) chains_.add_reference(target, -1);
}

std::optional<TimePoint> TableDriver::Impl::next_check() const {
  if (!refresh_at_ || !check_written_at_) return refresh_at_ ? refresh_at_ : check_written_at_;
  return std::min(*refresh_at_, *check_written_at_);
}

dataplane::ApplyReport TableDriver::Impl::apply(TimePoint now) {
  Round round{.now = now};
  const bool is_time = retry_at_ && now >= *retry_at_ && !is_unfinished_;
  if (std::exchange(retries_now_, false) || is_time) {
    chains_.release();
    hooks_.release();
  }
  is_unfinished_ = false;
  const auto check = next_check();
  if (check && now >= *check) needs_read_ = true;
  Status done = needs_read_ ? read(round) : ok_status();
  if (done.ok()) done = write(round);
  finish(round, done);
  return std::move(round.report);
}

Status TableDriver::Impl::read(Round& round) {
  ++statistics_.saves;
  ++round.runs;
  const exec::Command command = save_command(table_, config_.backend);
  const auto read_all = [&]() -> Result<SavedTable> {
    MARGAY_ASSIGN_OR_RETURN(const exec::Finished finished, runner_.run(command));
    if (!finished.is_success()) return error_of(command, finished);
    return parse_saved(finished.output, table_.table);
  };
  auto saved = read_all();
  if (!saved.ok()) {
    ++statistics_.save_errors;
    needs_read_ = true;
    return saved.error();
  }
  std::size_t drifts = chains_.note_saved(*saved);
  drifts += hooks_.note_saved(*saved);
  // A table that was never looked at through these programs has not drifted.
  if (!std::exchange(is_backend_new_, false)) statistics_.drifts += drifts;
  needs_read_ = false;
  round.was_read = true;
  check_written_at_.reset();
  refresh_at_.reset();
  if (config_.refresh_interval > Duration{}) refresh_at_ = round.now + config_.refresh_interval;
  // An iptables-restore of an earlier life, which was killed, may still be waiting for its turn.
  const bool is_first = !std::exchange(was_ever_read_, true);
  if (is_first) watch_write(round);
  return ok_status();
}

Plan TableDriver::Impl::plan_all() {
  Plan plan(table_.table);
  add_chains(chains_.due(), plan);
  plan.hooks = hooks_.due(may_remove_);
  for (const DueHook& hook : plan.hooks) hooks_.write(hook, plan.transaction);
  if (may_remove_) add_removals(chains_.due_removals(), plan);
  return plan;
}

Plan TableDriver::Impl::plan_of(std::span<const std::string> names) {
  std::vector<DueChain> due = chains_.due();
  std::erase_if(
      due, [&](const DueChain& chain) { return std::find(names.begin(), names.end(), *chain.name) == names.end(); });
  Plan plan(table_.table);
  add_chains(due, plan);
  return plan;
}

Status TableDriver::Impl::write(Round& round) {
  while (round.runs < kRunsMax) {
    const Plan plan = plan_all();
    if (plan.transaction.empty()) return ok_status();
    const Sent sent = send(round, plan);
    if (sent.is_done) return ok_status();
    if (sent.is_hopeless) return sent.error;
    if (!round.was_read) {
      // Maybe the table is not what we believe: only what fails against the table as it is can be blamed.
      MARGAY_RETURN_IF_ERROR(read(round));
    } else if (!blame(sent)) {
      return write_apart(round);
    }
  }
  is_unfinished_ = true;
  return Error{ErrorCode::kUnavailable, "many refusals at once, the rest follows"};
}

// iptables-restore does not say what it refuses: chain by chain, those first that others refer to. Each is as it was or
// as it should be at any moment, and hooks come last.
Status TableDriver::Impl::write_apart(Round& round) {
  const Sent frame = send(round, Plan(table_.table));
  if (!frame.is_done) return frame.error;
  write_pieces(round, chains_.due_in_order());
  while (round.runs < kRunsMax && chains_.due().empty()) {
    const Plan plan = plan_all();
    if (plan.transaction.empty()) return ok_status();
    const Sent sent = send(round, plan);
    if (sent.is_done) return ok_status();
    if (sent.is_hopeless || !blame(sent)) return sent.error;
  }
  is_unfinished_ = true;
  return Error{ErrorCode::kUnavailable, "chains that are refused are being looked for"};
}

void TableDriver::Impl::write_pieces(Round& round, std::span<const std::string> names) {
  if (names.empty() || round.runs >= kRunsMax) return;
  const Plan plan = plan_of(names);
  if (plan.transaction.empty()) return;
  const Sent sent = send(round, plan);
  if (sent.is_done || sent.is_hopeless) return;
  if (blame(sent)) return write_pieces(round, names);
  if (names.size() == 1) {
    refuse_chain(names.front(), sent.error);
    return write_pieces(round, names);
  }
  write_pieces(round, names.first(names.size() / 2));
  write_pieces(round, names.subspan(names.size() / 2));
}

TableDriver::Impl::Sent TableDriver::Impl::send(Round& round, const Plan& plan) {
  ++round.runs;
  ++statistics_.restores;
  statistics_.lines += plan.transaction.line_count();
  const std::string input = plan.transaction.input();
  const exec::Command command = restore_command(table_.family, config_.backend, input, config_.lock_wait);
  const auto finished = runner_.run(command);
  if (finished.ok() && finished->is_success()) {
    note_done(round, plan);
    return {.is_done = true};
  }
  ++statistics_.restore_errors;
  needs_read_ = true;
  if (!finished.ok()) return {.is_hopeless = true, .error = finished.error()};
  return explain(command, *finished, plan);
}

TableDriver::Impl::Sent TableDriver::Impl::explain(const exec::Command& command, const exec::Finished& finished,
                                                   const Plan& plan) {
  Sent sent{.error = error_of(command, finished)};
  crashes_ = finished.signal != 0 ? crashes_ + 1 : 0;
  sent.is_hopeless = is_locked_out(finished) || (finished.signal != 0 && crashes_ < kCrashesMax);
  for (const std::size_t line : failed_lines(finished.errors)) {
    const Owner& owner = plan.transaction.owner(line);
    if (owner.kind != Owner::Kind::kNone) sent.owners.push_back(owner);
  }
  return sent;
}

void TableDriver::Impl::note_done(Round& round, const Plan& plan) {
  for (const std::string& name : plan.chains) chains_.note_written(name);
  for (const std::string& name : plan.removals) chains_.note_removed(name);
  for (const DueHook& hook : plan.hooks) hooks_.note_written(hook);
  round.report.updated += plan.chains.size() + plan.hooks.size();
  round.report.removed += plan.removals.size();
  needs_read_ = false;  // a failure before this one changed nothing: transactions are atomic
  if (!plan.transaction.empty()) watch_write(round);
}

void TableDriver::Impl::watch_write(const Round& round) {
  if (config_.post_write_check_interval == Duration{} || check_written_at_) return;
  check_written_at_ = round.now + config_.post_write_check_interval;
}

// True if something was refused for it, so that the next transaction is another one.
bool TableDriver::Impl::blame(const Sent& sent) {
  for (const Owner& owner : sent.owners) {
    switch (owner.kind) {
      case Owner::Kind::kNone: break;
      case Owner::Kind::kChain: refuse_chain(owner.name, sent.error); break;
      case Owner::Kind::kHook: hooks_.refuse(owner.name, sent.error.message); break;
      case Owner::Kind::kRemoval: chains_.refuse_removal(owner.name, sent.error.message); break;
    }
  }
  return !sent.owners.empty();
}

void TableDriver::Impl::refuse_chain(const std::string& name, const Error& error) {
  chains_.refuse(name, error.message, hooks_.refers_to(name) ? ChainSet::OnRefusal::kKeep : ChainSet::OnRefusal::kDeny);
}

void TableDriver::Impl::finish(Round& round, const Status& done) {
  dataplane::ApplyReport& report = round.report;
  if (done.ok()) crashes_ = 0;
  is_applied_ = done.ok() && !hooks_.has_refused();
  if (is_unfinished_) backoff_.succeed();  // it goes on
  if (!done.ok()) {
    ++report.failed;
    report.failures.push_back({concat("table ", to_string(table_)), done.error()});
  }
  chains_.report(report);
  hooks_.report(report);
  const bool is_due = !done.ok() || chains_.has_refused() || hooks_.has_refused();
  if (!is_due) {
    retry_at_.reset();
    backoff_.succeed();
    return;
  }
  if (!retry_at_ || *retry_at_ <= round.now) retry_at_ = round.now + backoff_.next();
  report.try_again_at = retry_at_;
}

TableDriver::TableDriver(exec::Runner& runner, const TableId& table, const TableDriverConfig& config)
    : impl_(std::make_unique<Impl>(runner, table, config)) {}
TableDriver::~TableDriver() = default;

void TableDriver::apply_change(const TableChange& change) {
  for (const auto& [name, chain] : change.chains) {
    if (chain) {
      set_chain(chain);
    } else {
      remove_chain(name);
    }
  }
  for (const auto& [name, hook] : change.hooks) set_hook(name, hook);
}

void TableDriver::set_chain(std::shared_ptr<const Chain> chain) { impl_->chains_.set(std::move(chain)); }
void TableDriver::remove_chain(std::string_view name) { impl_->chains_.remove(std::string(name)); }
void TableDriver::set_hook(const std::string& kernel_chain, Hook hook) { impl_->set_hook(kernel_chain, hook); }
void TableDriver::allow_removal() { impl_->may_remove_ = true; }
void TableDriver::set_insert_mode(InsertMode mode) { impl_->hooks_.set_insert_mode(mode); }
void TableDriver::set_lock_wait(Duration wait) { impl_->config_.lock_wait = wait; }
void TableDriver::set_backend(Backend backend) {
  if (impl_->config_.backend == backend) return;
  impl_->config_.backend = backend;
  impl_->is_backend_new_ = true;
  impl_->retries_now_ = true;
  queue_resync();
}
void TableDriver::set_intervals(Duration refresh, Duration post_write_check) {
  impl_->config_.refresh_interval = refresh;
  impl_->config_.post_write_check_interval = post_write_check;
  queue_resync();  // from now on in the new rhythm
}
void TableDriver::retry_refused() { impl_->retries_now_ = true; }
void TableDriver::queue_resync() { impl_->needs_read_ = true; }
dataplane::ApplyReport TableDriver::apply(TimePoint now) { return impl_->apply(now); }
std::optional<TimePoint> TableDriver::next_check() const { return impl_->next_check(); }
bool TableDriver::is_applied() const { return impl_->is_applied_; }
const TableStatistics& TableDriver::statistics() const { return impl_->statistics_; }
std::size_t TableDriver::desired_chain_count() const { return impl_->chains_.wanted_count(); }
std::size_t TableDriver::desired_rule_count() const { return impl_->chains_.rule_count(); }
std::size_t TableDriver::actual_chain_count() const { return impl_->chains_.actual_count(); }

}  // namespace margay::iptables
