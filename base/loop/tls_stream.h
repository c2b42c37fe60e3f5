// TLS over any Stream. The handshake is a Handle; when it is done the stream is handed over, ready for start().
#pragma once

#include <memory>

#include "base/loop/loop.h"
#include "base/loop/read_buffer.h"
#include "base/loop/stream.h"
#include "base/loop/tls_engine.h"

namespace margay::loop {

// `plaintext` is where bytes are decrypted to, shared by all streams of a network. `done` runs once, never from inside
// this call.
std::unique_ptr<Handle> shake_hands(Loop& loop, std::unique_ptr<Stream> raw, std::unique_ptr<TlsEngine> engine,
                                    std::shared_ptr<ReadBuffer> plaintext, Duration timeout, Network::Connected done);

}  // namespace margay::loop
