// Certificates made on the spot, for tests of TLS here and in base/http. Not part of any library.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace margay::loop {

class TestAuthority {
 public:
  struct Wish {
    std::string names = "DNS:localhost,IP:127.0.0.1";  // subjectAltName
    bool is_expired = false;
    std::string common_name = "leaf";
    std::vector<std::string> organizations = {};
  };
  struct Issued {
    std::string certificate_pem;
    std::string key_pem;
  };

  explicit TestAuthority(const std::string& name);
  ~TestAuthority();
  [[nodiscard]] std::string ca_pem() const;
  [[nodiscard]] Issued issue(const Wish& wish) const;
  // The same key, but asking for a password.
  static std::string encrypted(const std::string& plain_pem);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::loop
