#include "agent/bgp/bgp_thread.h"

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "base/core/random.h"
#include "base/loop/channel.h"
#include "base/loop/loop_thread.h"
#include "bgp/liveness/bfd_liveness.h"
#include "bgp/session/socket_transport.h"

namespace margay::agent {
namespace {

using Updates = loop::Channel<SpeakerUpdate>;

// Lives on the thread.
struct Machine {
  Machine(loop::AsioLoop& loop, BgpThread::Parts& parts) : transport(loop, loop, parts.log.with({{"scope", "bgp"}})) {
    if (parts.has_bfd) {
      liveness.emplace(bgp::bfd::MonitorParts{loop, loop, random, parts.log.with({{"scope", "bfd"}})});
    }
    worker.emplace(BgpWorkerParts{loop, random, transport, std::move(parts.on_routes),
                                  parts.log.with({{"scope", "bgp"}}), parts.metrics, liveness ? &*liveness : nullptr});
  }

  SeededRandom random{system_seed()};
  bgp::session::SocketTransport transport;
  std::optional<bgp::BfdLiveness> liveness;
  std::optional<BgpWorker> worker;
  std::optional<Updates::Receiver> updates;  // first to end
};

}  // namespace

class BgpThread::Impl {
 public:
  explicit Impl(Parts parts) : owner_(parts.owner), answers_(std::make_shared<Answers>()) {
    thread_.call([&] {
      machine_ = std::make_unique<Machine>(thread_.loop(), parts);
      auto [sender, receiver] = Updates::make(
          thread_.loop(), {.on_value = [this](SpeakerUpdate update) { machine_->worker->apply(std::move(update)); },
                           .on_closed = [] {}});
      machine_->updates.emplace(std::move(receiver));
      updates_.emplace(std::move(sender));
    });
  }
  ~Impl() {
    updates_.reset();
    thread_.call([this] { machine_.reset(); });
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void send(SpeakerUpdate update) { updates_->send(std::move(update)); }

  // `ask` runs on the thread and makes the answer that `done` gets on the owner's loop.
  template <class Answer, class Ask>
  void ask(Ask ask, Callback<void(Answer)> done) {
    // The callback stays on its thread: it may own what belongs there.
    const std::uint64_t number = answers_->next++;
    auto answer = std::make_shared<std::optional<Answer>>();
    answers_->waiting.emplace(number, [answer, done = std::move(done)]() mutable { done(std::move(**answer)); });
    thread_.loop().post([this, ask = std::move(ask), answer, number, waiting = std::weak_ptr<Answers>(answers_)] {
      if (machine_ == nullptr) return;
      answer->emplace(ask(*machine_->worker));
      owner_.post([number, waiting] { Answers::deliver(waiting, number); });
    });
  }

  void stop(std::string text, Task done) {
    const std::uint64_t number = answers_->next++;
    answers_->waiting.emplace(number, std::move(done));
    thread_.loop().post([this, text = std::move(text), number, waiting = std::weak_ptr<Answers>(answers_)] {
      if (machine_ == nullptr) return;
      machine_->worker->stop(
          text, [this, number, waiting] { owner_.post([number, waiting] { Answers::deliver(waiting, number); }); });
    });
  }

 private:
  // Of the owner's thread.
  struct Answers {
    std::uint64_t next = 1;
    std::map<std::uint64_t, Task> waiting;

    static void deliver(const std::weak_ptr<Answers>& answers, std::uint64_t number) {
      const auto alive = answers.lock();
      if (alive == nullptr) return;
      const auto found = alive->waiting.find(number);
      if (found == alive->waiting.end()) return;
      Task task = std::move(found->second);
      alive->waiting.erase(found);
      task();
    }
  };

  loop::Loop& owner_;
  std::shared_ptr<Answers> answers_;
  loop::LoopThread thread_;
  std::unique_ptr<Machine> machine_;  // of the thread
  std::optional<Updates::Sender> updates_;
};

BgpThread::BgpThread(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BgpThread::~BgpThread() = default;

std::unique_ptr<BgpThread> BgpThread::start(Parts parts) {
  return std::unique_ptr<BgpThread>(new BgpThread(std::make_unique<Impl>(std::move(parts))));
}

void BgpThread::send(SpeakerUpdate update) { impl_->send(std::move(update)); }

void BgpThread::open_gate(bool is_restarting) {
  SpeakerUpdate update;
  update.gate = CarrierGate{true, is_restarting};
  impl_->send(std::move(update));
}

void BgpThread::close_gate() {
  SpeakerUpdate update;
  update.gate = CarrierGate{false, false};
  impl_->send(std::move(update));
}

void BgpThread::tell_routes_again() {
  SpeakerUpdate update;
  update.tell_again = true;
  impl_->send(std::move(update));
}

void BgpThread::snapshot(bgp::SnapshotQuery query, Callback<void(BgpSnapshot)> done) {
  impl_->ask<BgpSnapshot>([query](BgpWorker& worker) { return worker.snapshot(query); }, std::move(done));
}

void BgpThread::open_routes(bgp::SnapshotQuery query, Callback<void(Result<std::uint64_t>)> done) {
  impl_->ask<Result<std::uint64_t>>([query](BgpWorker& worker) { return worker.open_routes(query); }, std::move(done));
}

void BgpThread::read_routes(std::uint64_t number, Callback<void(RoutesRead)> done) {
  impl_->ask<RoutesRead>([number](BgpWorker& worker) { return worker.read_routes(number); }, std::move(done));
}

void BgpThread::close_routes(std::uint64_t number) {
  impl_->ask<bool>(
      [number](BgpWorker& worker) {
        worker.close_routes(number);
        return true;
      },
      [](bool) {});
}

void BgpThread::update_metrics(Task done) {
  impl_->ask<bool>(
      [](BgpWorker& worker) {
        worker.update_metrics();
        return true;
      },
      [done = std::move(done)](bool) mutable { done(); });
}

void BgpThread::reset(const IpAddress& peer, std::string text, Callback<void(Status)> done) {
  impl_->ask<Status>([peer, text = std::move(text)](BgpWorker& worker) { return worker.reset(peer, text); },
                     std::move(done));
}

void BgpThread::stop(std::string text, Task done) { impl_->stop(std::move(text), std::move(done)); }

void BgpThread::heartbeat(Task done) {
  impl_->ask<bool>([](BgpWorker&) { return true; }, [done = std::move(done)](bool) mutable { done(); });
}

}  // namespace margay::agent
