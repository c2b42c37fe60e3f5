// Objects as a test writes them to an API server, put into a map of what should be there.
#pragma once

#include <string>

#include "base/ip/address.h"
#include "base/json/value.h"
#include "test/support/object_writer.h"

namespace margay::test {

void put_namespace(ObjectMap& into, const std::string& name);

struct SamplePod {
  std::string name_space = "default";
  std::string name;
  std::string node;
  json::Object labels;
  IpAddress address;
};
// Running, with its address.
model::ObjectKey put_pod(ObjectMap& into, const SamplePod& pod);

// Of projectcalico.org/v3: "" as namespace makes a global one.
model::ObjectKey put_policy(ObjectMap& into, const std::string& name_space, const std::string& name, json::Object spec);
model::ObjectKey put_network_set(ObjectMap& into, const std::string& name, json::Object labels, json::Array nets);

// {action, protocol, source: {selector}, destination: {ports}} without what is empty or 0.
json::Value policy_rule(const std::string& action, const std::string& protocol, const std::string& source_selector,
                        int destination_port = 0);

}  // namespace margay::test
