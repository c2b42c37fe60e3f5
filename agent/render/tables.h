// Tables: the chains and hooks that are wanted now, and what of them changed since they were last taken.
//
// Pure, one thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "dataplane/iptables/rule.h"

namespace margay::render {

class Tables {
 public:
  // Nothing changes when it is there with the same rules.
  void put(const iptables::TableId& id, iptables::Chain chain);
  void remove(const iptables::TableId& id, const std::string& chain);
  void set_hook(const iptables::TableId& id, std::string_view kernel_chain, iptables::Hook hook);

  // Between the two everything that is wanted is put again; the rest goes.
  void begin_rebuild();
  void end_rebuild();

  std::map<iptables::TableId, iptables::TableChange> take();

 private:
  struct Content {
    std::map<std::string, std::shared_ptr<const iptables::Chain>> chains;
    std::map<std::string, iptables::Hook> hooks;
  };
  void remove_absent(const iptables::TableId& id, const Content& before);

  std::map<iptables::TableId, Content> wanted_;
  std::map<iptables::TableId, Content> before_rebuild_;
  std::map<iptables::TableId, iptables::TableChange> changes_;
};

}  // namespace margay::render
