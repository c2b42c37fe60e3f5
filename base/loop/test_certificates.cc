#include "base/loop/test_certificates.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/core/check.h"

namespace margay::loop {
namespace {

constexpr long kDay = 24 * 60 * 60;

template <class Write>
std::string to_pem(Write write) {
  BIO* bio = BIO_new(BIO_s_mem());
  MARGAY_CHECK(write(bio) == 1);
  const char* data = nullptr;
  const long size = BIO_ctrl(bio, BIO_CTRL_INFO, 0, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

std::string certificate_pem(X509* certificate) {
  return to_pem([certificate](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

std::string key_pem(EVP_PKEY* key) {
  return to_pem([key](BIO* bio) { return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

EVP_PKEY* new_key() { return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"); }

void add_name(X509_NAME* name, const char* field, const std::string& text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, bytes, static_cast<int>(text.size()), -1, 0);
}

void extend(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  MARGAY_CHECK(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* new_certificate(EVP_PKEY* key, const std::string& name, long serial) {
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -2 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate), kDay);
  X509_set_pubkey(certificate, key);
  add_name(X509_get_subject_name(certificate), "CN", name);
  return certificate;
}

}  // namespace

struct TestAuthority::Impl {
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
};

TestAuthority::TestAuthority(const std::string& name) : impl_(std::make_unique<Impl>()) {
  impl_->key = new_key();
  impl_->certificate = new_certificate(impl_->key, name, 1);
  X509_set_issuer_name(impl_->certificate, X509_get_subject_name(impl_->certificate));
  extend(impl_->certificate, NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(impl_->certificate, impl_->key, EVP_sha256());
}

TestAuthority::~TestAuthority() {
  X509_free(impl_->certificate);
  EVP_PKEY_free(impl_->key);
}

std::string TestAuthority::ca_pem() const { return certificate_pem(impl_->certificate); }

TestAuthority::Issued TestAuthority::issue(const Wish& wish) const {
  EVP_PKEY* key = new_key();
  X509* certificate = new_certificate(key, wish.common_name, 2);
  for (const std::string& organization : wish.organizations)
    add_name(X509_get_subject_name(certificate), "O", organization);
  if (wish.is_expired) X509_gmtime_adj(X509_getm_notAfter(certificate), -kDay);
  X509_set_issuer_name(certificate, X509_get_subject_name(impl_->certificate));
  extend(certificate, NID_subject_alt_name, wish.names);
  X509_sign(certificate, impl_->key, EVP_sha256());
  Issued issued{certificate_pem(certificate), key_pem(key)};
  X509_free(certificate);
  EVP_PKEY_free(key);
  return issued;
}

std::string TestAuthority::encrypted(const std::string& plain_pem) {
  BIO* in = BIO_new_mem_buf(plain_pem.data(), static_cast<int>(plain_pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  BIO_free(in);
  const unsigned char password[] = {'s', 'e', 'c', 'r', 'e', 't'};
  std::string text = to_pem([key, &password](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key, EVP_aes_128_cbc(), password, sizeof password, nullptr, nullptr);
  });
  EVP_PKEY_free(key);
  return text;
}

}  // namespace margay::loop
