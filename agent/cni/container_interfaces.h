// ContainerInterfaces: which interface of a container is margay's, for a next life of the agent: a symbolic link each,
// from the container's name to the interface's, in a folder that goes when the machine does, as interfaces go.
//
// Never an error: without it a second interface of a container is not told from the first one.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace margay::agent {

class ContainerInterfaces {
 public:
  // Reads what is there. "": nothing is kept.
  explicit ContainerInterfaces(std::string folder);

  void put(const std::string& container, const std::string& interface);
  void remove(const std::string& container);
  // "": not known.
  [[nodiscard]] std::string find(const std::string& container) const;

 private:
  [[nodiscard]] std::string path_of(const std::string& key) const;

  std::string folder_;
  std::map<std::string, std::string> interfaces_;  // by what the container's file is called
};

}  // namespace margay::agent
