// The RIB alone, without sockets: decode, import, decide, export, pack, encode. What it costs to relay a table, to
// reflect, to serve who comes late, and to pass on one change. Times are CPU time.
//
//   bench_bgp_rib [relay-100k|relay-1m-single|reflect-200|late-10k|change-200|…]…     all without arguments
#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/core/random.h"
#include "bgp/rib/rib.h"
#include "bgp/wire/decode.h"
#include "bgp/wire/encode.h"
#include "test/bench/measure.h"

namespace margay::bench {
namespace {

using bgp::Family;
using bgp::rib::PeerId;
using bgp::rib::Rib;

constexpr Asn kOurAsn{64512};

bgp::rib::PeerSession session_of(PeerId peer, bool is_internal) {
  bgp::rib::PeerSession session;
  session.negotiated.local_asn = kOurAsn;
  session.negotiated.remote_asn = is_internal ? kOurAsn : Asn(65000U + peer);
  session.negotiated.local_id = RouterId(0x0a0000fe);
  session.negotiated.remote_id = RouterId(0x0a010000U + peer);
  session.negotiated.is_internal = is_internal;
  session.negotiated.families = {true, false};
  session.negotiated.four_octet_as = true;
  session.peer_address = IpAddress::v4(0x0a010000U + peer);
  session.local_address = IpAddress::v4(0x0a0000fe);
  session.self[Family::kIpv4Unicast] = bgp::NextHop{session.local_address, std::nullopt};
  session.is_directly_connected = false;
  return session;
}

bgp::DecodeContext context_of(PeerId peer, bool is_internal) {
  bgp::DecodeContext context;
  context.is_internal = is_internal;
  context.peer_asn = is_internal ? kOurAsn : Asn(65000U + peer);
  return context;
}

std::string attributes_of(const std::vector<Asn>& path, bool is_internal, std::uint32_t number) {
  bgp::AttributeEditor editor;
  editor.set_origin(bgp::Origin::kIgp);
  editor.set_as_path(path);
  if (is_internal) editor.set_local_pref(100);
  editor.add_community(0xfde80000U + number % 65536);
  return editor.finish();
}

// A table of mixed lengths, each prefix once.
std::vector<bgp::Nlri> table_of(std::size_t count) {
  std::vector<bgp::Nlri> nlri;
  nlri.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const int length = i % 10 < 6 ? 24 : static_cast<int>(17 + i % 7);
    nlri.push_back(
        {IpPrefix::containing(IpAddress::v4(0x01000000U + static_cast<std::uint32_t>(i) * 2048), length), 0});
  }
  std::sort(nlri.begin(), nlri.end());
  nlri.erase(std::unique(nlri.begin(), nlri.end()), nlri.end());
  return nlri;
}

// As UPDATEs: `grouped`: 4 to 10 destinations in each, every one with its own attributes; otherwise one in each, with
// attributes out of a seventh as many sets, in random order.
std::vector<std::string> feed_of(std::size_t count, bool grouped, PeerId peer) {
  SeededRandom random(7);
  std::vector<bgp::Nlri> table = table_of(count);
  const bgp::NextHop next_hop{IpAddress::v4(0x0a010000U + peer), std::nullopt};
  std::vector<std::string> chunks(1);
  const auto set = [&](std::uint32_t number) {
    return attributes_of({Asn(65000U + peer), Asn(100000 + number), Asn(3356), Asn(number % 977 + 1000)}, false,
                         number);
  };
  const auto add = [&](std::span<const bgp::Nlri> nlri, std::uint32_t number) {
    if (chunks.back().size() > 65536) chunks.emplace_back();
    (void)bgp::encode_reach({}, bytes::view_of(set(number)), next_hop, nlri, chunks.back());
  };
  if (grouped) {
    std::uint32_t number = 0;
    for (std::size_t at = 0; at < table.size(); ++number) {
      const std::size_t size = std::min<std::size_t>(4 + random.below(7), table.size() - at);
      add(std::span(table).subspan(at, size), number);
      at += size;
    }
    return chunks;
  }
  for (std::size_t i = table.size(); i > 1; --i) std::swap(table[i - 1], table[random.below(i)]);
  for (const bgp::Nlri& nlri : table) add({&nlri, 1}, static_cast<std::uint32_t>(random.below(table.size() / 7 + 1)));
  return chunks;
}

struct Receiver {
  std::size_t bytes = 0, packets = 0;
};

class Speaker {
 public:
  Speaker()
      : rib_({.local_asn = kOurAsn, .router_id = RouterId(0x0a0000fe)},
             {.on_routes = [this](std::vector<bgp::rib::RouteChange> changes) { routes_ += changes.size(); },
              .on_output = [this](PeerId peer) { ready_.push_back(peer); },
              .on_overrun = {},
              .on_limit_warning = {},
              .on_paths_ignored = {}}) {}

  void add(PeerId peer, bool is_internal, bool is_client = false) {
    bgp::rib::PeerPolicy policy;
    policy.is_client = is_client;
    if (is_client) policy.cluster_id = RouterId(1);
    rib_.add_peer(peer, policy);
    rib_.session_up(peer, session_of(peer, is_internal));
    if (contexts_.size() <= peer) contexts_.resize(std::size_t{peer} + 1);
    contexts_[peer] = context_of(peer, is_internal);
    settle();
  }
  void down(PeerId peer) {
    rib_.session_down(peer, false);
    settle();
  }
  // What one read of the peer's socket may bring.
  void receive(PeerId peer, const std::string& bytes) {
    bytes::View rest = bytes::view_of(bytes);
    while (!rest.empty()) {
      const auto header = bgp::decode_header(rest, contexts_[peer]);
      const std::size_t size = (**header).size;
      if (bgp::decode_update(rest.first(size), contexts_[peer], update_).ok()) rib_.receive(peer, update_);
      rest = rest.subspan(size);
    }
  }
  void settle() {
    bool is_done = false;
    while (!is_done) {
      is_done = rib_.run(100'000);
      drain();
    }
  }
  [[nodiscard]] Receiver total() const { return total_; }
  Rib& rib() { return rib_; }

 private:
  void drain() {
    for (const PeerId peer : std::exchange(ready_, {})) {
      while (rib_.has_output(peer)) {
        for (const bgp::rib::Packet& packet : rib_.take(peer, 1 << 20)) {
          total_.bytes += packet->size();
          ++total_.packets;
        }
      }
    }
  }

  std::vector<PeerId> ready_;
  std::size_t routes_ = 0;
  Receiver total_;
  std::vector<bgp::DecodeContext> contexts_;
  bgp::Update update_;
  Rib rib_;
};

// The machine may be busy with other things: what counts here is our own time.
double cpu_seconds_since(std::clock_t start) { return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC; }

std::size_t heap_bytes() { return ::mallinfo2().uordblks + ::mallinfo2().hblkhd; }

void relay(std::size_t count, bool grouped) {
  const std::vector<std::string> feed = feed_of(count, grouped, 1);
  const std::string what = "relay " + std::to_string(count) + (grouped ? " grouped" : " single");
  Samples seconds, leaving;
  double per_route = 0, heap = 0;
  std::uint64_t updates = 0;
  for (int round = 0; round < 5; ++round) {
    const std::size_t before = heap_bytes();
    Speaker speaker;
    speaker.add(1, false);
    speaker.add(2, false);
    const auto start = std::clock();
    for (const std::string& chunk : feed) {
      speaker.receive(1, chunk);
      speaker.settle();
    }
    seconds.add(cpu_seconds_since(start));
    heap = static_cast<double>(heap_bytes() - before);
    per_route = static_cast<double>(speaker.rib().memory_bytes()) / static_cast<double>(count);
    updates = speaker.rib().counts(2).updates_sent - 1;
    const auto death = std::clock();
    speaker.down(1);
    leaving.add(cpu_seconds_since(death));
  }
  print_samples(what, seconds, 1e3, "ms");
  print_samples(what + ", sender gone", leaving, 1e3, "ms");
  print_figure(what + ", UPDATEs sent", static_cast<double>(updates), "");
  print_figure(what + ", RIB memory a route", per_route, "bytes");
  print_figure(what + ", heap", heap / 1e6, "MB");
}

void reflect(PeerId clients, std::size_t each) {
  Samples seconds, leaving;
  std::size_t bytes = 0, packets = 0;
  for (int round = 0; round < 5; ++round) {
    Speaker speaker;
    for (PeerId peer = 1; peer <= clients; ++peer) speaker.add(peer, true, true);
    std::vector<std::string> feeds;
    for (PeerId peer = 0; peer < clients; ++peer) {
      std::vector<bgp::Nlri> nlri;
      for (std::size_t i = 0; i < each; ++i) {
        const auto block = static_cast<std::uint32_t>(peer * each + i);
        nlri.push_back({IpPrefix::containing(IpAddress::v4(0x0a000000U + block * 64), 26), 0});
      }
      feeds.emplace_back();
      (void)bgp::encode_reach({}, bytes::view_of(attributes_of({}, true, peer)),
                              {IpAddress::v4(0x0a010001U + peer), std::nullopt}, nlri, feeds.back());
    }
    const Receiver before = speaker.total();
    const auto start = std::clock();
    for (PeerId peer = 0; peer < clients; ++peer) {
      speaker.receive(static_cast<PeerId>(peer + 1), feeds[peer]);
      speaker.settle();
    }
    seconds.add(cpu_seconds_since(start));
    bytes = speaker.total().bytes - before.bytes;
    packets = speaker.total().packets - before.packets;
    const auto death = std::clock();
    speaker.down(1);
    leaving.add(cpu_seconds_since(death));
  }
  const std::string what = "reflect " + std::to_string(clients) + " x " + std::to_string(each);
  print_samples(what, seconds, 1e3, "ms");
  print_samples(what + ", a client gone", leaving, 1e3, "ms");
  print_figure(what + ", packets", static_cast<double>(packets), "");
  print_figure(what + ", bytes", static_cast<double>(bytes) / 1e6, "MB");
}

void late(std::size_t count) {
  Speaker speaker;
  speaker.add(1, false);
  speaker.add(2, false);
  for (const std::string& chunk : feed_of(count, true, 1)) {
    speaker.receive(1, chunk);
    speaker.settle();
  }
  Samples seconds;
  std::uint64_t updates = 0;
  for (PeerId peer = 3; peer < 23; ++peer) {
    const auto start = std::clock();
    speaker.add(peer, false);
    seconds.add(cpu_seconds_since(start));
    updates = speaker.rib().counts(peer).updates_sent;
    speaker.down(peer);
  }
  print_samples("late joiner gets " + std::to_string(count), seconds, 1e3, "ms");
  print_figure("late joiner gets " + std::to_string(count) + ", UPDATEs with End-of-RIB", static_cast<double>(updates),
               "");
}

void change(PeerId peers) {
  Speaker speaker;
  for (PeerId peer = 1; peer <= peers; ++peer) speaker.add(peer, true, true);
  Samples seconds;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const bgp::Nlri nlri{IpPrefix::containing(IpAddress::v4(0x0a000000U), 26), 0};
    std::string feed;
    (void)bgp::encode_reach({}, bytes::view_of(attributes_of({}, true, i)), {IpAddress::v4(0x0a010001U), std::nullopt},
                            {&nlri, 1}, feed);
    const auto start = std::clock();
    speaker.receive(1, feed);
    speaker.settle();
    seconds.add(cpu_seconds_since(start));
  }
  print_samples("one prefix changes with " + std::to_string(peers) + " peers", seconds, 1e6, "us");
}

struct Job {
  const char* name;
  void (*run)();
};

constexpr Job kJobs[] = {
    {"relay-100k", [] { relay(100'000, true); }}, {"relay-100k-single", [] { relay(100'000, false); }},
    {"relay-1m", [] { relay(1'000'000, true); }}, {"relay-1m-single", [] { relay(1'000'000, false); }},
    {"reflect-50", [] { reflect(50, 64); }},      {"reflect-200", [] { reflect(200, 64); }},
    {"late-10k", [] { late(10'000); }},           {"late-100k", [] { late(100'000); }},
    {"change-200", [] { change(200); }},
};

bool is_asked(int count, char** arguments, const char* name) {
  if (count < 2) return true;
  return std::any_of(arguments + 1, arguments + count,
                     [name](const char* word) { return std::strcmp(word, name) == 0; });
}

}  // namespace
}  // namespace margay::bench

int main(int count, char** arguments) {
  for (const margay::bench::Job& job : margay::bench::kJobs) {
    if (margay::bench::is_asked(count, arguments, job.name)) job.run();
  }
  return 0;
}
