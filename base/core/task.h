// Task: something to run once, owned by whoever will run it. May own move-only state.
#pragma once

#include "absl/functional/any_invocable.h"

namespace margay {

using Task = absl::AnyInvocable<void()>;

template <class Signature>
using Callback = absl::AnyInvocable<Signature>;

}  // namespace margay
