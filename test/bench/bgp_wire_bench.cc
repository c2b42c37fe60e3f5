// The codec of BGP: nanoseconds for an UPDATE and for a prefix, decoding into canonical attributes and encoding out of
// them, with buffers that are kept, as a session does it. Shapes are those of a relay: 7 prefixes and one attribute set
// an UPDATE, one prefix an UPDATE, communities, IPv6, an old speaker.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "bgp/filter/filter.h"
#include "bgp/wire/attributes.h"
#include "bgp/wire/decode.h"
#include "bgp/wire/encode.h"
#include "test/bench/measure.h"

namespace margay::bench {
namespace {

using namespace bgp;

constexpr std::size_t kUpdates = 20'000;
constexpr int kRounds = 9;

struct Shape {
  std::string name;
  std::size_t prefixes = 1;
  bool v6 = false;
  bool communities = false;
  bool four_octet_as = true;
};

std::string attributes_of(SeededRandom& random, const Shape& shape) {
  AttributeEditor editor;
  editor.set_origin(Origin::kIgp);
  std::vector<Asn> path{Asn(65001)};
  for (std::uint64_t i = random.below(5); i > 0; --i)
    path.emplace_back(1 + static_cast<std::uint32_t>(random.below(64000)));
  editor.set_as_path(path);
  editor.set_med(static_cast<std::uint32_t>(random.next()));
  for (int i = 0; shape.communities && i < 6; ++i) editor.add_community(static_cast<std::uint32_t>(random.next()));
  if (shape.communities) editor.add_community(LargeCommunity{65001, 1, static_cast<std::uint32_t>(random.next())});
  return editor.finish();
}

std::vector<Nlri> nlri_of(SeededRandom& random, const Shape& shape) {
  std::vector<Nlri> all;
  for (std::size_t i = 0; i < shape.prefixes; ++i) {
    const int length = 16 + static_cast<int>(random.below(9));
    const IpAddress address = shape.v6
                                  ? IpAddress::v6(0x2001'0db8'0000'0000U | random.below(1U << 31), 0)
                                  : IpAddress::v4(0x10000000U | static_cast<std::uint32_t>(random.below(1U << 28)));
    all.push_back({IpPrefix::containing(address, shape.v6 ? length + 32 : length), 0});
  }
  return all;
}

struct Load {
  std::vector<std::string> attributes;
  std::vector<std::vector<Nlri>> nlri;
  NextHop next_hop;
  std::string stream;
};

Load load_of(const Shape& shape) {
  Load load;
  SeededRandom random(1);
  load.next_hop.address = shape.v6 ? IpAddress::v6(0x2001'0db8'0000'0000U, 1) : IpAddress::v4(0xc0000201);
  EncodeContext context;
  context.four_octet_as = shape.four_octet_as;
  for (std::size_t i = 0; i < kUpdates; ++i) {
    load.attributes.push_back(attributes_of(random, shape));
    load.nlri.push_back(nlri_of(random, shape));
    if (!encode_reach(context, bytes::view_of(load.attributes[i]), load.next_hop, load.nlri[i], load.stream).ok())
      std::abort();
  }
  return load;
}

void check(bool good) {
  if (!good) std::abort();
}

double decode_all(const Load& load, const DecodeContext& context, Update& update) {
  std::size_t prefixes = 0, bytes = 0;
  const auto start = Clock::now();
  for (bytes::View rest = bytes::view_of(load.stream); !rest.empty();) {
    const auto header = decode_header(rest, context);
    check(header.ok() && header->has_value());
    check(decode_update(rest.first((*header)->size), context, update).ok());
    prefixes += update.reach[Family::kIpv4Unicast].nlri.size() + update.reach[Family::kIpv6Unicast].nlri.size();
    bytes += update.attributes.size();
    rest = rest.subspan((*header)->size);
  }
  const double seconds = seconds_since(start);
  check(prefixes == load.nlri.front().size() * kUpdates && bytes > 0);
  return seconds;
}

double encode_all(const Load& load, const EncodeContext& context, std::string& out) {
  out.clear();
  const auto start = Clock::now();
  for (std::size_t i = 0; i < kUpdates; ++i) {
    check(encode_reach(context, bytes::view_of(load.attributes[i]), load.next_hop, load.nlri[i], out).ok());
  }
  const double seconds = seconds_since(start);
  check(out.size() == load.stream.size());
  return seconds;
}

// What a route goes through on its way to an eBGP peer.
double edit_all(const Load& load) {
  const std::vector<Asn> own{Asn(65000)};
  std::size_t bytes = 0;
  const auto start = Clock::now();
  for (const std::string& attributes : load.attributes) {
    AttributeEditor editor(AttributeView(bytes::view_of(attributes)));
    editor.remove_for_ebgp();
    editor.prepend(own);
    bytes += editor.finish().size();
  }
  const double seconds = seconds_since(start);
  check(bytes > 0);
  return seconds;
}

void print(const std::string& what, const Samples& samples, std::size_t prefixes) {
  const double update_ns = samples.median() / static_cast<double>(kUpdates) * 1e9;
  std::printf("%-44s %8.0f ns an UPDATE %8.1f ns a prefix %6.2f M prefixes/s\n", what.c_str(), update_ns,
              update_ns / static_cast<double>(prefixes), static_cast<double>(prefixes) / update_ns * 1e3);
}

void run(const Shape& shape) {
  const Load load = load_of(shape);
  DecodeContext decode;
  decode.families = {true, true};
  decode.peer_asn = Asn(65001);
  decode.four_octet_as = shape.four_octet_as;
  EncodeContext encode;
  encode.four_octet_as = shape.four_octet_as;
  Update update;
  std::string out;
  Samples decoding, encoding, editing;
  for (int round = 0; round < kRounds; ++round) {
    decoding.add(decode_all(load, decode, update));
    encoding.add(encode_all(load, encode, out));
    editing.add(edit_all(load));
  }
  print("decode " + shape.name, decoding, shape.prefixes);
  print("encode " + shape.name, encoding, shape.prefixes);
  if (shape.prefixes == 1) print("edit for eBGP " + shape.name, editing, shape.prefixes);
}

// One route against a chain; the verdicts are counted so that none is left out.
void run_filter(const std::string& name, const FilterChain& chain) {
  constexpr std::size_t kRoutes = 1'000'000;
  SeededRandom random(2);
  std::vector<RouteFacts> routes(1024);
  for (RouteFacts& route : routes) route.prefix = nlri_of(random, {.name = {}}).front().prefix;
  Samples samples;
  std::size_t accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = Clock::now();
    for (std::size_t i = 0; i < kRoutes; ++i) accepted += evaluate(chain, routes[i % routes.size()]).accept ? 1U : 0U;
    samples.add(seconds_since(start));
  }
  check(accepted > 0);
  std::printf("%-44s %8.1f ns a route\n", name.c_str(), samples.median() / static_cast<double>(kRoutes) * 1e9);
}

void run_filters() {
  FilterRule rule;
  rule.cidr = IpPrefix::containing(IpAddress::v4(0x10000000), 6);
  rule.cidr_operator = MatchOperator::kIn;
  const auto chain = [](std::vector<FilterRule> rules) {
    return std::make_shared<const std::vector<Filter>>(std::vector{Filter{"f", std::move(rules)}});
  };
  run_filter("filter: no chain", nullptr);
  run_filter("filter: one CIDR In rule", chain({rule}));
  run_filter("filter: ten CIDR In rules", chain(std::vector<FilterRule>(10, rule)));
}

}  // namespace
}  // namespace margay::bench

int main() {
  using margay::bench::Shape;
  for (const Shape& shape :
       {Shape{"7 prefixes", 7}, Shape{"1 prefix", 1}, Shape{"1 prefix, 7 communities", 1, false, true},
        Shape{"7 IPv6 prefixes", 7, true}, Shape{"800 prefixes", 800},
        Shape{"1 prefix, two-octet numbers", 1, false, false, false}}) {
    margay::bench::run(shape);
  }
  margay::bench::run_filters();
  return 0;
}
