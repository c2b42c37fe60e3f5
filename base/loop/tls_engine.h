// TlsEngine: one TLS connection without I/O: ciphertext in, plaintext out, and the other way round. OpenSSL stays
// behind this file.
//
// TLS 1.2 and 1.3 only, no renegotiation, no resumption. A client checks the server's certificate against its trust
// store and the server's name or address (RFC 9525, by OpenSSL); a server with a client CA demands a certificate of it,
// or takes one if there is one.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/loop/stream.h"

namespace margay::loop {

class TlsContext;
using TlsContextPtr = std::shared_ptr<const TlsContext>;

// kInvalid: the PEM text cannot be read, or key and certificate do not belong together.
Result<TlsContextPtr> make_tls_context(const TlsClientConfig& config);
Result<TlsContextPtr> make_tls_context(const TlsServerConfig& config);

class TlsEngine {
 public:
  // `server_name` is the name or address to check and, if a name, to send (SNI).
  static Result<std::unique_ptr<TlsEngine>> for_client(TlsContextPtr context, const std::string& server_name);
  static Result<std::unique_ptr<TlsEngine>> for_server(TlsContextPtr context);
  ~TlsEngine();
  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;

  // Adds ciphertext. The bytes must stay where they are until handshake() or read() has used them up, or keep_input().
  void add_input(std::string_view ciphertext);
  // Copies input that is not used up, so that the caller's buffer can be reused.
  void keep_input();
  [[nodiscard]] bool has_input() const;
  // True when it is complete; false: more input is needed.
  Result<bool> handshake();

  struct Plaintext {
    std::size_t count = 0;   // 0: more input is needed
    bool is_closed = false;  // close_notify came
  };
  Result<Plaintext> read(char* buffer, std::size_t size);
  Status write(std::string_view plaintext);
  void write_close_notify();
  // After the handshake; nullopt: none was shown, or it was not checked.
  [[nodiscard]] std::optional<PeerCertificate> peer_certificate() const;
  // What is to be sent.
  std::string take_output();

 private:
  struct Impl;
  explicit TlsEngine(std::unique_ptr<Impl> impl);
  static Result<std::unique_ptr<TlsEngine>> make(TlsContextPtr context);

  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::loop
