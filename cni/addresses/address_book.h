// AddressBook: one owner's address management at work: an ipam::Allocator with the API server behind it.
//
// Thread: the loop's. Callbacks never run from inside the call. What is refers to outlives it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/core/task.h"
#include "base/json/view.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "cni/ipam/allocator.h"
#include "datastore/kube/client.h"

namespace margay::addresses {

class AddressBook {
 public:
  struct Parts {
    loop::Loop& loop;
    kube::Client& client;
    telemetry::Logger log{};
  };

  AddressBook(Parts parts, ipam::AllocatorConfig config);
  ~AddressBook();
  AddressBook(const AddressBook&) = delete;
  AddressBook& operator=(const AddressBook&) = delete;

  void start();
  void configure(ipam::AllocatorConfig config);

  using Assigned = Callback<void(std::vector<ipam::Got> got)>;
  using Released = Callback<void(Status outcome)>;
  // Waits as long as the API server is away; cancel() ends that, and then `done` does not run.
  ipam::RequestId assign(ipam::Holder holder, std::vector<ipam::Demand> demands, Assigned done);
  ipam::RequestId release(std::string handle, Released done);
  // Of the handle's addresses only this one. kNotFound: it is in no block that is held.
  ipam::RequestId release(std::string handle, const IpAddress& address, Released done);
  void cancel(ipam::RequestId request);

  // Runs, on a later turn, once it is known what is held (Allocator::is_listed()).
  std::function<void()> on_listed;
  // What a watch saw of a block.
  void see(const model::IpamBlock& block);
  [[nodiscard]] const ipam::Allocator& allocator() const { return allocator_; }

 private:
  struct ListRun;

  [[nodiscard]] ipam::Moment now() const { return {parts_.loop.now(), parts_.loop.wall_now()}; }
  void run(ipam::Outputs outputs);
  void act(ipam::Issue issue);
  void act(const ipam::WantListing& want);
  void act(ipam::AssignDone done);
  void act(const ipam::ReleaseDone& done);
  void arm();
  void tell(Task task);
  ipam::RequestId release(ipam::ReleaseRequest request, Released done);
  template <class T>
  void issue(ipam::CallId id, ipam::Verb verb, T object);
  void list_blocks();
  void list_affinities();
  void end_listing(Result<ipam::Listing> listing);

  Parts parts_;
  model::BlockOwner owner_;
  ipam::Allocator allocator_;
  ipam::RequestId last_request_ = 0;
  std::map<ipam::RequestId, Assigned> assigning_;
  std::map<ipam::RequestId, Released> releasing_;
  std::map<ipam::CallId, kube::OperationPtr> calls_;
  std::unique_ptr<ListRun> listing_;
  std::unique_ptr<loop::Timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace margay::addresses
