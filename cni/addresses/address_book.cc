#include "cni/addresses/address_book.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "datastore/codec/codec.h"
#include "datastore/codec/decoded.h"
#include "datastore/watch/resource_of.h"

namespace margay::addresses {
namespace {

constexpr Duration kTick = std::chrono::seconds(5);

}  // namespace

// Blocks, then affinities: of what is made in between the affinity is seen, and leads to the block.
struct AddressBook::ListRun {
  explicit ListRun(const model::BlockOwner& owner) : builder(owner) {}
  ipam::ListingBuilder builder;
  kube::OperationPtr operation;
};

AddressBook::AddressBook(Parts parts, ipam::AllocatorConfig config)
    : parts_(std::move(parts)), owner_(config.rules.owner), allocator_(std::move(config)) {
  timer_ = parts_.loop.make_timer([this] { run(allocator_.on_tick(now())); });
}

AddressBook::~AddressBook() = default;

void AddressBook::start() { run(allocator_.start(now())); }

void AddressBook::configure(ipam::AllocatorConfig config) { run(allocator_.configure(std::move(config), now())); }

ipam::RequestId AddressBook::assign(ipam::Holder holder, std::vector<ipam::Demand> demands, Assigned done) {
  const ipam::RequestId id = ++last_request_;
  assigning_.emplace(id, std::move(done));
  run(allocator_.assign({.id = id, .holder = std::move(holder), .demands = std::move(demands)}, now()));
  return id;
}

ipam::RequestId AddressBook::release(std::string handle, Released done) {
  return release(ipam::ReleaseRequest{.handle = std::move(handle)}, std::move(done));
}

ipam::RequestId AddressBook::release(std::string handle, const IpAddress& address, Released done) {
  return release(ipam::ReleaseRequest{.handle = std::move(handle), .address = address}, std::move(done));
}

ipam::RequestId AddressBook::release(ipam::ReleaseRequest request, Released done) {
  request.id = ++last_request_;
  const ipam::RequestId id = request.id;
  releasing_.emplace(id, std::move(done));
  run(allocator_.release(std::move(request), now()));
  return id;
}

void AddressBook::cancel(ipam::RequestId request) {
  assigning_.erase(request);
  releasing_.erase(request);
  run(allocator_.cancel(request, now()));
}

void AddressBook::see(const model::IpamBlock& block) { run(allocator_.on_block_seen(block, now())); }

void AddressBook::run(ipam::Outputs outputs) {
  for (ipam::Output& output : outputs) {
    std::visit([this](auto& each) { act(std::move(each)); }, output);
  }
  arm();
}

void AddressBook::arm() {
  const auto wake = allocator_.next_wake();
  timer_->arm(wake ? std::clamp<Duration>(*wake - parts_.loop.now(), Duration::zero(), kTick) : kTick);
}

// On a later turn: whoever asks may not be called back before he has his answer's number.
void AddressBook::tell(Task task) {
  parts_.loop.post([alive = std::weak_ptr<bool>(alive_), task = std::move(task)]() mutable {
    if (!alive.expired()) task();
  });
}

template <class T>
void AddressBook::issue(ipam::CallId id, ipam::Verb verb, T object) {
  const kube::ResourceType type = watch::resource_of(T::kKind);
  const kube::ObjectName name{"", object.metadata.name};
  auto shared = std::make_shared<T>(std::move(object));
  kube::ObjectDone done = [this, id, verb, shared](kube::ApiResult<json::Value> answer) {
    calls_.erase(id);
    if (!answer.ok()) return run(allocator_.on_answer(id, answer.error().to_error(), now()));
    if (verb == ipam::Verb::kGet) {
      auto read = codec::decoded<T>(answer.value());
      if (!read.ok()) return run(allocator_.on_answer(id, read.error(), now()));
      return run(allocator_.on_answer(id, ipam::Object(std::move(read).value()), now()));
    }
    // What was written is what is stored; new are its version and identity.
    shared->metadata.resource_version = answer->string_at({"metadata", "resourceVersion"});
    shared->metadata.uid = answer->string_at({"metadata", "uid"});
    run(allocator_.on_answer(id, ipam::Object(std::move(*shared)), now()));
  };
  json::Value body;
  if (verb == ipam::Verb::kCreate || verb == ipam::Verb::kUpdate) codec::encode(*shared, body);
  switch (verb) {
    case ipam::Verb::kGet: calls_[id] = parts_.client.get(type, name, std::move(done)); break;
    case ipam::Verb::kCreate: calls_[id] = parts_.client.create(type, "", body, {}, std::move(done)); break;
    case ipam::Verb::kUpdate: calls_[id] = parts_.client.update(type, name, body, {}, std::move(done)); break;
    case ipam::Verb::kDelete:
      calls_[id] = parts_.client.remove(
          type, name, {.uid = shared->metadata.uid, .resource_version = shared->metadata.resource_version},
          std::move(done));
      break;
  }
}

void AddressBook::act(ipam::Issue issued) {
  std::visit([&](auto& object) { issue(issued.id, issued.call.verb, std::move(object)); }, issued.call.object);
}

void AddressBook::act(const ipam::WantListing&) {
  listing_ = std::make_unique<ListRun>(owner_);
  list_blocks();
}

void AddressBook::list_blocks() {
  listing_->operation = parts_.client.list(watch::resource_of(model::Kind::kIpamBlock), "", {},
                                           {.on_item =
                                                [this](std::string_view item) {
                                                  auto block = codec::decoded<model::IpamBlock>(item);
                                                  if (block.ok()) listing_->builder.add(std::move(block).value());
                                                },
                                            .on_done =
                                                [this](const kube::ApiResult<kube::ListMeta>& outcome) {
                                                  if (!outcome.ok()) return end_listing(outcome.error().to_error());
                                                  list_affinities();
                                                }});
}

void AddressBook::list_affinities() {
  listing_->operation = parts_.client.list(watch::resource_of(model::Kind::kBlockAffinity), "", {},
                                           {.on_item =
                                                [this](std::string_view item) {
                                                  auto affinity = codec::decoded<model::BlockAffinity>(item);
                                                  if (affinity.ok()) listing_->builder.add(std::move(affinity).value());
                                                },
                                            .on_done =
                                                [this](const kube::ApiResult<kube::ListMeta>& outcome) {
                                                  if (!outcome.ok()) return end_listing(outcome.error().to_error());
                                                  end_listing(listing_->builder.take());
                                                }});
}

void AddressBook::end_listing(Result<ipam::Listing> listing) {
  listing_.reset();
  if (!listing.ok()) parts_.log.warn("blocks of addresses cannot be listed", {{"error", listing.error()}});
  run(allocator_.on_listing(std::move(listing), now()));
  if (!allocator_.is_listed()) return;
  tell([this] {
    if (on_listed) on_listed();
  });
}

void AddressBook::act(ipam::AssignDone done) {
  const auto found = assigning_.find(done.id);
  if (found == assigning_.end()) return;
  Assigned callback = std::move(found->second);
  assigning_.erase(found);
  tell([callback = std::move(callback), got = std::move(done.got)]() mutable { callback(std::move(got)); });
}

void AddressBook::act(const ipam::ReleaseDone& done) {
  const auto found = releasing_.find(done.id);
  if (found == releasing_.end()) return;
  Released callback = std::move(found->second);
  releasing_.erase(found);
  tell([callback = std::move(callback), outcome = done.outcome]() mutable { callback(outcome); });
}

}  // namespace margay::addresses
