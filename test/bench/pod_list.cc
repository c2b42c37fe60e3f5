#include "test/bench/pod_list.h"

#include "base/core/random.h"
#include "base/core/text.h"

namespace margay::bench {
namespace {

constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";

std::string random_word(Random& random, std::size_t size) {
  std::string word;
  while (word.size() < size) word.push_back(kLetters[random.below(kLetters.size())]);
  return word;
}

std::string hex(Random& random, std::size_t size) {
  std::string text;
  while (text.size() < size) text.push_back("0123456789abcdef"[random.below(16)]);
  return text;
}

std::string uid(Random& random) {
  return concat(hex(random, 8), "-", hex(random, 4), "-4", hex(random, 3), "-a", hex(random, 3), "-", hex(random, 12));
}

struct PodNames {
  std::size_t number;
  std::string app;
  std::string name_space;
  std::string name;
  std::string node;
  std::string address;
  std::string host_address;
};

PodNames names_of(std::size_t number, Random& random) {
  PodNames names;
  names.number = number;
  // In order of namespace and name, as etcd has them.
  names.app = concat("service-", 100'000 + number / 20);
  names.name_space = concat("team-", 1000 + number / 480);
  names.name = concat(names.app, "-", random_word(random, 10), "-", random_word(random, 5));
  names.node = concat("ip-10-0-", number % 5000 / 250, "-", number % 250, ".eu-central-1.compute.internal");
  names.address = concat("10.", 64 + number / 65536, ".", number / 256 % 256, ".", number % 256);
  names.host_address = concat("10.0.", number % 5000 / 250, ".", number % 250);
  return names;
}

void append_managed_fields(std::string& out) {
  out += R"("managedFields":[{"manager":"kube-controller-manager","operation":"Update","apiVersion":"v1",)"
         R"("time":"2026-05-04T09:12:31Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:generateName":{},)"
         R"("f:labels":{".":{},"f:app":{},"f:pod-template-hash":{}},"f:ownerReferences":{".":{},)"
         R"("k:{\"uid\":\"8b1f\"}":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"main\"}":{".":{},"f:image":{},)"
         R"("f:name":{},"f:ports":{".":{},"k:{\"containerPort\":8080,\"protocol\":\"TCP\"}":{".":{},)"
         R"("f:containerPort":{},"f:name":{},"f:protocol":{}}}}},"f:restartPolicy":{},"f:schedulerName":{}}}},)"
         R"({"manager":"kubelet","operation":"Update","apiVersion":"v1","time":"2026-05-04T09:12:37Z",)"
         R"("fieldsType":"FieldsV1","fieldsV1":{"f:status":{"f:conditions":{"k:{\"type\":\"Ready\"}":{".":{},)"
         R"("f:status":{},"f:type":{}}},"f:phase":{},"f:podIP":{},"f:podIPs":{".":{},"k:{\"ip\":\"10.64.0.1\"}":)"
         R"({".":{},"f:ip":{}}}}},"subresource":"status"}]},)";
}

void append_metadata(std::string& out, const PodNames& names, Random& random) {
  out += concat(
      R"({"metadata":{"name":")", names.name, R"(","generateName":")", names.app, R"(-","namespace":")",
      names.name_space, R"(","uid":")", uid(random), R"(","resourceVersion":")", 880000000 + names.number * 7,
      R"(","creationTimestamp":"2026-05-04T09:12:31Z","labels":{"app":")", names.app,
      R"(","app.kubernetes.io/managed-by":"Helm","pod-template-hash":")", random_word(random, 10),
      R"(","tier":"backend","version":"v2.14.3"},"annotations":{"cni.projectcalico.org/containerID":")",
      hex(random, 64), R"(","cni.projectcalico.org/podIP":")", names.address,
      R"(/32","kubectl.kubernetes.io/restartedAt":"2026-05-04T11:12:30+02:00","prometheus.io/port":"8080",)",
      R"("prometheus.io/scrape":"true"},"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":")",
      names.app, "-", random_word(random, 10), R"(","uid":")", uid(random),
      R"(","controller":true,"blockOwnerDeletion":true}],)");
  append_managed_fields(out);
}

void append_spec(std::string& out, const PodNames& names) {
  out += concat(R"("spec":{"volumes":[{"name":"kube-api-access-x7xkq","projected":{"sources":[{"serviceAccountToken":)",
                R"({"expirationSeconds":3607,"path":"token"}}],"defaultMode":420}}],"containers":[{"name":"main",)",
                R"("image":"registry.example.org/platform/)", names.app,
                R"(:v2.14.3","ports":[{"name":"http","containerPort":8080,"protocol":"TCP"}],"resources":{"limits":)",
                R"({"cpu":"500m","memory":"512Mi"},"requests":{"cpu":"100m","memory":"256Mi"}},"imagePullPolicy":)",
                R"("IfNotPresent"}],"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":)",
                R"("ClusterFirst","serviceAccountName":"default","serviceAccount":"default","nodeName":")", names.node,
                R"(","securityContext":{},"schedulerName":"default-scheduler","tolerations":[{"key":)",
                R"("node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}],)",
                R"("priority":0,"enableServiceLinks":true,"preemptionPolicy":"PreemptLowerPriority"},)");
}

void append_status(std::string& out, const PodNames& names, Random& random) {
  out += R"("status":{"phase":"Running","conditions":[)";
  for (const char* type : {"Initialized", "Ready", "PodScheduled"}) {
    out += concat(type == std::string_view("Initialized") ? "" : ",", R"({"type":")", type,
                  R"(","status":"True","lastProbeTime":null,"lastTransitionTime":"2026-05-04T09:12:31Z"})");
  }
  out += concat(R"(],"hostIP":")", names.host_address, R"(","podIP":")", names.address, R"(","podIPs":[{"ip":")",
                names.address, R"("}],"startTime":"2026-05-04T09:12:31Z","containerStatuses":[{"name":"main","state":)",
                R"({"running":{"startedAt":"2026-05-04T09:12:36Z"}},"ready":true,"restartCount":0,"containerID":)",
                R"("containerd://)", hex(random, 64), R"(","started":true}],"qosClass":"Burstable"}})");
}

}  // namespace

std::string pod_list(std::size_t pods) {
  SeededRandom random(1);
  std::string out;
  out.reserve(pods * 3800 + 200);
  out += R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"987654321"},"items":[)";
  for (std::size_t number = 0; number < pods; ++number) {
    if (number > 0) out.push_back(',');
    const PodNames names = names_of(number, random);
    append_metadata(out, names, random);
    append_spec(out, names);
    append_status(out, names, random);
  }
  out += "]}\n";
  return out;
}

}  // namespace margay::bench
