#include "base/loop/tls_engine.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <climits>
#include <ctime>
#include <utility>
#include <vector>

#include "base/core/text.h"

namespace margay::loop {
namespace {

template <auto function>
struct Free {
  template <class T>
  void operator()(T* owned) const {
    function(owned);
  }
};
using SslContext = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, Free<SSL_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

// OpenSSL's own reason, and an empty error queue.
std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER)
    return "the other side does not speak TLS";
  return reason == nullptr ? "unknown error" : reason;
}

// Room for the headers and tags of a slice's records.
constexpr std::size_t kRecordOverhead = 512;

// An encrypted key is an error, not a question on the terminal.
int no_password(char*, int, int, void*) { return -1; }

Bio memory_bio(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// All certificates of a PEM text, handed to `use` one after the other.
template <class Use>
Status each_certificate(const std::string& pem, std::string_view what, Use use) {
  ERR_clear_error();
  const Bio bio = memory_bio(pem);
  int count = 0;
  while (true) {
    Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
    if (certificate == nullptr) break;
    if (!use(certificate.get(), count)) return invalid(concat(what, ": ", openssl_reason()));
    ++count;
  }
  const bool is_at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (count == 0 || !is_at_end) return invalid(concat(what, ": not PEM certificates: ", openssl_reason()));
  ERR_clear_error();
  return ok_status();
}

Status use_certificates(SSL_CTX* context, const std::string& pem) {
  return each_certificate(pem, "TLS certificate", [context](X509* certificate, int index) {
    if (index == 0) return SSL_CTX_use_certificate(context, certificate) == 1;
    return SSL_CTX_add1_chain_cert(context, certificate) == 1;
  });
}

Status use_key(SSL_CTX* context, const std::string& pem) {
  const Bio bio = memory_bio(pem);
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (key == nullptr) return invalid(concat("TLS key: not a PEM private key without a password: ", openssl_reason()));
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return invalid(concat("TLS key does not belong to the certificate: ", openssl_reason()));
  }
  return ok_status();
}

Status use_trust(SSL_CTX* context, const std::string& ca_pem) {
  if (ca_pem.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) == 1) return ok_status();
    return invalid(concat("the system's trust store: ", openssl_reason()));
  }
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  // What is given is trusted, also an authority that another one has signed: kubeconfig files are written for Go's
  // rules.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  return each_certificate(ca_pem, "TLS CA",
                          [store](X509* certificate, int) { return X509_STORE_add_cert(store, certificate) == 1; });
}

Result<SslContext> make_context(const SSL_METHOD* method) {
  ERR_clear_error();
  SslContext context(SSL_CTX_new(method));
  if (context == nullptr) return Error{ErrorCode::kInternal, concat("TLS: ", openssl_reason())};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

// What OpenSSL reads from and writes to, instead of a socket.
struct Wire {
  std::string_view input;  // the caller's bytes, or in kept
  std::string kept;
  std::string output;
};

Wire& wire_of(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

int wire_read(BIO* bio, char* buffer, int size) {
  Wire& wire = wire_of(bio);
  BIO_clear_retry_flags(bio);
  if (wire.input.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t count = wire.input.copy(buffer, static_cast<std::size_t>(size));
  wire.input.remove_prefix(count);
  return static_cast<int>(count);
}

int wire_write(BIO* bio, const char* bytes, int size) {
  wire_of(bio).output.append(bytes, static_cast<std::size_t>(size));
  return size;
}

long wire_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

int wire_create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

using Method = std::unique_ptr<BIO_METHOD, Free<BIO_meth_free>>;

Method make_wire_method() {
  Method method(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "margay wire"));
  BIO_meth_set_read(method.get(), wire_read);
  BIO_meth_set_write(method.get(), wire_write);
  BIO_meth_set_ctrl(method.get(), wire_control);
  BIO_meth_set_create(method.get(), wire_create);
  return method;
}

bool is_address(const std::string& name) {
  unsigned char address[16];
  return inet_pton(AF_INET, name.c_str(), address) == 1 || inet_pton(AF_INET6, name.c_str(), address) == 1;
}

// All values of this kind in a name, as UTF-8.
std::vector<std::string> entries_of(const X509_NAME* name, int nid) {
  std::vector<std::string> values;
  for (int at = X509_NAME_get_index_by_NID(name, nid, -1); at >= 0; at = X509_NAME_get_index_by_NID(name, nid, at)) {
    unsigned char* text = nullptr;
    const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (size >= 0) values.emplace_back(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
    OPENSSL_free(text);
  }
  return values;
}

// Verification against the name, and the name in the hello unless it is an address (RFC 6066 section 3).
bool expect_server(SSL* ssl, const std::string& name) {
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
  if (is_address(name)) return X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) == 1;
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(parameters, name.data(), name.size()) == 1 &&
         SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(name.c_str())) == 1;
}

}  // namespace

class TlsContext {
 public:
  TlsContext(SslContext context, Method method) : context_(std::move(context)), method_(std::move(method)) {}
  [[nodiscard]] SSL_CTX* context() const { return context_.get(); }
  [[nodiscard]] BIO_METHOD* method() const { return method_.get(); }

 private:
  SslContext context_;
  Method method_;
};

struct TlsEngine::Impl {
  TlsContextPtr context;
  Wire wire;
  Ssl ssl;

  // After an OpenSSL call gave `result`: whether it only needs more input.
  [[nodiscard]] bool wants_input(int result) const { return SSL_get_error(ssl.get(), result) == SSL_ERROR_WANT_READ; }

  [[nodiscard]] Error failure() const {
    const long verdict = SSL_get_verify_result(ssl.get());
    std::string reason = openssl_reason();
    if (verdict != X509_V_OK)
      reason = concat("certificate: ", std::string_view(X509_verify_cert_error_string(verdict)));
    return Error{ErrorCode::kUnavailable, concat("TLS: ", reason)};
  }
};

Result<TlsContextPtr> make_tls_context(const TlsClientConfig& config) {
  if (config.certificate_pem.empty() != config.key_pem.empty()) {
    return invalid("TLS: a client certificate and its key are given both or not at all");
  }
  MARGAY_ASSIGN_OR_RETURN(SslContext context, make_context(TLS_client_method()));
  if (!config.certificate_pem.empty()) {
    MARGAY_RETURN_IF_ERROR(use_certificates(context.get(), config.certificate_pem));
    MARGAY_RETURN_IF_ERROR(use_key(context.get(), config.key_pem));
  }
  if (!config.insecure_skip_verify) {
    MARGAY_RETURN_IF_ERROR(use_trust(context.get(), config.ca_pem));
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  }
  return TlsContextPtr(std::make_shared<TlsContext>(std::move(context), make_wire_method()));
}

Result<TlsContextPtr> make_tls_context(const TlsServerConfig& config) {
  MARGAY_ASSIGN_OR_RETURN(SslContext context, make_context(TLS_server_method()));
  MARGAY_RETURN_IF_ERROR(use_certificates(context.get(), config.certificate_pem));
  MARGAY_RETURN_IF_ERROR(use_key(context.get(), config.key_pem));
  if (!config.client_ca_pem.empty()) {
    MARGAY_RETURN_IF_ERROR(use_trust(context.get(), config.client_ca_pem));
    MARGAY_RETURN_IF_ERROR(each_certificate(config.client_ca_pem, "TLS client CA", [&](X509* certificate, int) {
      return SSL_CTX_add_client_CA(context.get(), certificate) == 1;
    }));
    const int demanded = config.is_client_certificate_optional ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | demanded, nullptr);
  }
  return TlsContextPtr(std::make_shared<TlsContext>(std::move(context), make_wire_method()));
}

TlsEngine::TlsEngine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsEngine::~TlsEngine() = default;

Result<std::unique_ptr<TlsEngine>> TlsEngine::make(TlsContextPtr context) {
  ERR_clear_error();
  auto impl = std::make_unique<Impl>();
  impl->context = std::move(context);
  impl->ssl.reset(SSL_new(impl->context->context()));
  BIO* bio = impl->ssl == nullptr ? nullptr : BIO_new(impl->context->method());
  if (bio == nullptr) return Error{ErrorCode::kInternal, concat("TLS: ", openssl_reason())};
  BIO_set_data(bio, &impl->wire);
  SSL_set_bio(impl->ssl.get(), bio, bio);
  return std::unique_ptr<TlsEngine>(new TlsEngine(std::move(impl)));
}

Result<std::unique_ptr<TlsEngine>> TlsEngine::for_client(TlsContextPtr context, const std::string& server_name) {
  MARGAY_ASSIGN_OR_RETURN(auto engine, make(std::move(context)));
  if (!expect_server(engine->impl_->ssl.get(), server_name)) {
    return invalid(concat("TLS: ", quoted(server_name), " cannot be a server's name: ", openssl_reason()));
  }
  SSL_set_connect_state(engine->impl_->ssl.get());
  return engine;
}

Result<std::unique_ptr<TlsEngine>> TlsEngine::for_server(TlsContextPtr context) {
  MARGAY_ASSIGN_OR_RETURN(auto engine, make(std::move(context)));
  SSL_set_accept_state(engine->impl_->ssl.get());
  return engine;
}

void TlsEngine::add_input(std::string_view ciphertext) {
  Wire& wire = impl_->wire;
  if (wire.input.empty()) {
    wire.input = ciphertext;
    return;
  }
  keep_input();
  wire.kept.append(ciphertext);
  wire.input = wire.kept;
}

void TlsEngine::keep_input() {
  Wire& wire = impl_->wire;
  std::string rest(wire.input);
  wire.kept = std::move(rest);
  wire.input = wire.kept;
}

bool TlsEngine::has_input() const { return !impl_->wire.input.empty(); }

Result<bool> TlsEngine::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(impl_->ssl.get());
  if (result == 1) return true;
  if (impl_->wants_input(result)) return false;
  return impl_->failure();
}

Result<TlsEngine::Plaintext> TlsEngine::read(char* buffer, std::size_t size) {
  ERR_clear_error();
  const int result = SSL_read(impl_->ssl.get(), buffer, static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
  if (result > 0) return Plaintext{static_cast<std::size_t>(result), false};
  if (SSL_get_error(impl_->ssl.get(), result) == SSL_ERROR_ZERO_RETURN) return Plaintext{0, true};
  if (impl_->wants_input(result)) return Plaintext{};
  return impl_->failure();
}

Status TlsEngine::write(std::string_view plaintext) {
  ERR_clear_error();
  std::size_t written = 0;
  if (plaintext.empty()) return ok_status();
  impl_->wire.output.reserve(impl_->wire.output.size() + plaintext.size() + kRecordOverhead);
  if (SSL_write_ex(impl_->ssl.get(), plaintext.data(), plaintext.size(), &written) == 1) return ok_status();
  return impl_->failure();
}

void TlsEngine::write_close_notify() {
  ERR_clear_error();
  (void)SSL_shutdown(impl_->ssl.get());
  ERR_clear_error();
}

std::optional<PeerCertificate> TlsEngine::peer_certificate() const {
  const SSL* ssl = impl_->ssl.get();
  const X509* certificate = SSL_get0_peer_certificate(ssl);
  const bool is_checked = SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE && SSL_get_verify_result(ssl) == X509_V_OK;
  if (certificate == nullptr || !is_checked) return std::nullopt;
  PeerCertificate out;
  const X509_NAME* subject = X509_get_subject_name(certificate);
  if (auto names = entries_of(subject, NID_commonName); !names.empty()) out.common_name = std::move(names.back());
  out.organizations = entries_of(subject, NID_organizationName);
  tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1) {
    out.not_after = WallTime(std::chrono::seconds(::timegm(&end)));
  }
  return out;
}

std::string TlsEngine::take_output() { return std::exchange(impl_->wire.output, {}); }

}  // namespace margay::loop
