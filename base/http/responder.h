// The Responder that a handler gets. Internal to base/http.
#pragma once

#include <memory>
#include <utility>

#include "base/http/server.h"
#include "base/loop/loop.h"

namespace margay::http {

class ServerConnection;

class ResponderImpl final : public Responder {
 public:
  ResponderImpl(loop::Loop& loop, ServerConnection& connection);
  ~ResponderImpl() override;

  void send(Response response) override;
  void start(ResponseHead head) override;
  void write(std::string bytes) override;
  void finish() override;
  void abort() override;
  [[nodiscard]] bool is_open() const override { return connection_ != nullptr; }
  [[nodiscard]] std::size_t queued_bytes() const override;
  void on_drained(Callback<void()> task) override { on_drained_ = std::make_shared<Callback<void()>>(std::move(task)); }
  void on_closed(Task task) override;

  // The last queued byte has been taken by the kernel.
  void drained();
  // The connection ended before the response was complete.
  void connection_gone();
  void detach() { connection_ = nullptr; }

 private:
  loop::Loop& loop_;
  ServerConnection* connection_;  // null when the response is complete or cannot be
  bool was_lost_ = false;
  std::shared_ptr<Callback<void()>> on_drained_;  // shared: it may destroy this while it runs
  Task on_closed_;
  std::unique_ptr<loop::Timer> late_;  // tells of a loss that came before on_closed()
};

}  // namespace margay::http
