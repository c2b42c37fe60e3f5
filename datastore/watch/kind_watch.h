// KindWatch<T>: one kind of the API server's, decoded into a Cache<T> and kept in step with it.
//
//   KindWatch<model::Pod> pods({loop, random, client, log, &metrics}, {.type = kPods},
//                              {.decode = codec::SharingDecoder<model::Pod>(), .on_invalid = …});
//   const auto consumer = pods.cache().subscribe([&] { … consumer->take() … });
//   pods.start();
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "datastore/watch/cache.h"
#include "datastore/watch/watch_driver.h"

namespace margay::watch {

// Fills a T from an object; errors: the object counts as absent and is reported.
template <class T>
struct Decoder {
  std::function<FieldErrors(json::View object, T& out)> decode;
  std::function<void(const InvalidObject& object)> on_invalid{};
};

template <class T>
class KindWatch final : private ObjectSink {
 public:
  // What `environment` refers to outlives this.
  KindWatch(const WatchEnvironment& environment, WatchSource source, Decoder<T> decoder)
      : decode_(std::move(decoder.decode)),
        cache_(environment.loop),
        driver_(environment, std::move(source), *this, std::move(decoder.on_invalid)) {}

  // Each time listing or watching fails; it is tried again all the same.
  void set_on_failure(std::function<void(const kube::ApiError&)> on_failure) {
    driver_.set_on_failure(std::move(on_failure));
  }
  void start() { driver_.start(); }
  [[nodiscard]] Cache<T>& cache() { return cache_; }
  [[nodiscard]] const WatchDriver& driver() const { return driver_; }

 private:
  FieldErrors decode(json::View object) override { return decode_(object, decoded_); }
  void put(const kube::ObjectName& name) override { cache_.put(name, std::make_shared<const T>(std::move(decoded_))); }
  void remove(const kube::ObjectName& name) override { cache_.remove(name); }
  void on_in_sync() override { cache_.mark_in_sync(); }

  std::function<FieldErrors(json::View, T&)> decode_;
  T decoded_{};
  Cache<T> cache_;
  WatchDriver driver_;
};

}  // namespace margay::watch
