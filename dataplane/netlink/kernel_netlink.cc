// The kernel side of netlink.h.
//
// Batches: every request has a sequence number of its own and only the last asks for an acknowledgement; the kernel
// reports failures of the others by themselves, before it. So one system call carries up to kBatchMax requests, and
// one more reads the answer (measured: twice as fast as an acknowledgement for each).
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include "base/core/text.h"
#include "dataplane/netlink/netlink.h"
#include "dataplane/netlink/netlink_socket.h"

namespace margay::netlink {

namespace {

constexpr std::size_t kBatchMax = 512;                // requests in one system call
constexpr std::size_t kBatchBytesMax = 128 * 1024;    // below the default send buffer
constexpr int kReceiveBufferBytes = 4 * 1024 * 1024;  // room for kBatchMax failures
constexpr int kDumpAttemptsMax = 10;

Error last_error(std::string_view what) { return error_of(errno, what); }

// Messages caused by that port never reach the socket's buffer: a filter of three instructions drops them in the
// kernel. It loads in network byte order, while nlmsg_pid is in the machine's.
Status leave_out(const NetlinkSocket& socket, std::uint32_t port) {
  std::array<sock_filter, 4> program = {{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(nlmsghdr, nlmsg_pid)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, htonl(port)},
      {BPF_RET | BPF_K, 0, 0, 0},
      {BPF_RET | BPF_K, 0, 0, UINT32_MAX},
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (setsockopt(socket.fd(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0) {
    return last_error("netlink filter");
  }
  return std::monostate();
}

// The text that the kernel adds to an error (NLMSGERR_ATTR_MSG).
std::string kernel_text(const nlmsghdr& head) {
  if ((head.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return {};
  const bytes::View payload = payload_of(head);
  nlmsgerr error{};
  if (payload.size() < sizeof(error)) return {};
  std::memcpy(&error, payload.data(), sizeof(error));
  std::size_t begin = sizeof(error);
  if ((head.nlmsg_flags & NLM_F_CAPPED) == 0) begin += NLMSG_ALIGN(error.msg.nlmsg_len) - sizeof(nlmsghdr);
  if (begin >= payload.size()) return {};
  const auto text = find_attribute(payload.subspan(begin), NLMSGERR_ATTR_MSG);
  return text ? std::string(text->text()) : std::string();
}

struct Answer {
  std::uint32_t sequence = 0;
  int error = 0;  // errno; 0: acknowledged
  std::string text;
};

Answer answer_of(const nlmsghdr& head) {
  int code = EBADMSG;
  const bytes::View payload = payload_of(head);
  if (payload.size() >= sizeof(code)) std::memcpy(&code, payload.data(), sizeof(code));
  return Answer{head.nlmsg_seq, code < 0 ? -code : code, code == 0 ? std::string() : kernel_text(head)};
}

std::string errno_text(int number) { return std::generic_category().message(number); }

std::string describe(int error, const std::string& text) {
  return text.empty() ? errno_text(error) : concat(errno_text(error), ": ", text);
}

MessageView view_of(const nlmsghdr& head) { return {head.nlmsg_type, head.nlmsg_flags, payload_of(head)}; }

// Calls visit(head) for each message in the bytes.
template <class VisitHead>
void for_each_message(std::string_view bytes, VisitHead&& visit) {
  while (const nlmsghdr* head = take_message(bytes)) visit(*head);
}

class KernelNetlink final : public Netlink {
 public:
  explicit KernelNetlink(NetlinkSocket socket) : socket_(std::move(socket)) {
    // Older kernels know fewer of them; each only makes answers better or shorter.
    for (int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK}) {
      static_cast<void>(socket_.set(option, 1));
    }
  }

  Status dump(const Batch& request, const std::function<void()>& begin, const Visit& visit) override {
    for (int attempt = 0; attempt < kDumpAttemptsMax; ++attempt) {
      begin();
      bool was_disturbed = false;
      MARGAY_RETURN_IF_ERROR(exchange(request, NLM_F_DUMP, visit, was_disturbed));
      if (!was_disturbed) return std::monostate();
    }
    return Error{ErrorCode::kUnavailable,
                 concat("the kernel's state changed during each of ", kDumpAttemptsMax, " dumps")};
  }

  Status ask(const Batch& request, const Visit& visit) override {
    bool was_disturbed = false;
    return exchange(request, NLM_F_ACK, visit, was_disturbed);
  }

  [[nodiscard]] std::uint32_t port() const override { return socket_.port(); }

  BatchReport apply(const Batch& batch) override {
    BatchReport report;
    for (std::size_t begin = 0; begin < batch.size();) {
      const std::size_t end = chunk_end(batch, begin);
      const Status sent = apply_chunk(batch, begin, end, report);
      if (!sent.ok()) {
        report.transport = sent.error();
        return report;
      }
      begin = end;
    }
    return report;
  }

 private:
  static std::size_t chunk_end(const Batch& batch, std::size_t begin) {
    std::size_t bytes = 0;
    std::size_t end = begin;
    while (end < batch.size() && end - begin < kBatchMax) {
      bytes += batch.request(end).size();
      if (bytes > kBatchBytesMax && end > begin) break;
      ++end;
    }
    return end;
  }

  // Copies requests [begin, end) to out_ with sequence numbers; `last_flags` go to the last.
  void number(const Batch& batch, std::size_t begin, std::size_t end, std::uint16_t last_flags) {
    out_.clear();
    for (std::size_t index = begin; index < end; ++index) {
      const std::size_t at = out_.size();
      out_.append(batch.request(index));
      auto* head = reinterpret_cast<nlmsghdr*>(out_.data() + at);
      head->nlmsg_seq = ++sequence_;
      if (index + 1 == end) head->nlmsg_flags = static_cast<std::uint16_t>(head->nlmsg_flags | last_flags);
    }
  }

  Status send() {
    if (!socket_.send(out_)) return last_error("netlink send");
    return std::monostate();
  }

  // What is in buffer_ now. Answers of the kernel to requests are there when send() returns: this does not wait
  // long, but a dump comes in parts.
  Result<std::string_view> receive() {
    while (true) {
      const ssize_t got = socket_.receive(buffer_);
      if (got >= 0) return buffer_.first(got);
      if (errno == EINTR) continue;
      if (errno == ENOSPC) return Error{ErrorCode::kLimitExceeded, "netlink: a message longer than the buffer"};
      return last_error("netlink receive");
    }
  }

  Status apply_chunk(const Batch& batch, std::size_t begin, std::size_t end, BatchReport& report) {
    const std::uint32_t first = sequence_ + 1;
    number(batch, begin, end, NLM_F_ACK);
    MARGAY_RETURN_IF_ERROR(send());
    const std::uint32_t last = sequence_;
    bool is_done = false;
    while (!is_done) {
      MARGAY_ASSIGN_OR_RETURN(const std::string_view messages, receive());
      for_each_message(messages, [&](const nlmsghdr& head) {
        if (head.nlmsg_type != NLMSG_ERROR || head.nlmsg_seq - first > last - first) return;
        Answer answer = answer_of(head);
        is_done = is_done || answer.sequence == last;
        if (answer.error == 0) return;
        report.failures.push_back(
            {begin + (answer.sequence - first), answer.error, describe(answer.error, answer.text)});
      });
    }
    return std::monostate();
  }

  Status exchange(const Batch& request, std::uint16_t flags, const Visit& visit, bool& was_disturbed) {
    MARGAY_CHECK(request.size() == 1);
    number(request, 0, 1, flags);
    MARGAY_RETURN_IF_ERROR(send());
    std::optional<Answer> end;
    while (!end) {
      MARGAY_ASSIGN_OR_RETURN(const std::string_view messages, receive());
      for_each_message(messages, [&](const nlmsghdr& head) {
        if (head.nlmsg_seq != sequence_ || end) return;
        was_disturbed = was_disturbed || (head.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
        if (head.nlmsg_type == NLMSG_DONE || head.nlmsg_type == NLMSG_ERROR) {
          end = answer_of(head);
        } else if (head.nlmsg_type >= NLMSG_MIN_TYPE) {
          visit(view_of(head));
        }
      });
    }
    if (end->error != 0) return error_of(end->error, describe(end->error, end->text));
    return std::monostate();
  }

  NetlinkSocket socket_;
  MessageBuffer buffer_;
  std::string out_;
  std::uint32_t sequence_ = 0;
};

class KernelMonitor final : public Monitor {
 public:
  KernelMonitor(NetlinkSocket socket, MonitorEvents events) : socket_(std::move(socket)), events_(std::move(events)) {}

  Status start(loop::FdWatcher& watcher) {
    MARGAY_ASSIGN_OR_RETURN(watch_, watcher.watch(
                                        socket_.fd(), [this] { read_all(); }, [] {}));
    watch_->want_readable();
    return std::monostate();
  }

 private:
  // Callbacks may destroy this monitor: nothing of it is touched after one has.
  void read_all() {
    const std::weak_ptr<const bool> alive = alive_;
    for (int turn = 0; turn < kReadsMax; ++turn) {
      const ssize_t got = socket_.receive(buffer_);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && (errno == ENOBUFS || errno == ENOSPC)) {
        events_.on_lost();
        if (alive.expired()) return;
        continue;
      }
      if (got < 0) break;
      const std::string taken(buffer_.first(got));
      for_each_message(taken, [&](const nlmsghdr& head) {
        if (!alive.expired() && head.nlmsg_type >= NLMSG_MIN_TYPE) events_.on_message(view_of(head));
      });
      if (alive.expired()) return;
    }
    watch_->want_readable();
  }

  static constexpr int kReadsMax = 64;  // a turn, so that a storm leaves room for others

  NetlinkSocket socket_;
  MonitorEvents events_;
  MessageBuffer buffer_;
  std::unique_ptr<loop::FdWatch> watch_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace

Error error_of(int number, std::string_view what) {
  const auto code = [number] {
    switch (number) {
      case EPERM:
      case EACCES: return ErrorCode::kPermissionDenied;
      case ENOENT:
      case ESRCH:
      case ENODEV: return ErrorCode::kNotFound;
      case EEXIST: return ErrorCode::kAlreadyExists;
      case EOPNOTSUPP:
      case EPROTONOSUPPORT:
      case EAFNOSUPPORT: return ErrorCode::kUnsupported;
      case EINVAL:
      case ERANGE: return ErrorCode::kInvalid;
      case EBUSY:
      case EAGAIN:
      case ENOBUFS:
      case ENETDOWN: return ErrorCode::kUnavailable;
      case ENOMEM:
      case EMFILE:
      case ENFILE: return ErrorCode::kLimitExceeded;
      default: return ErrorCode::kInternal;
    }
  };
  const std::string words = errno_text(number);
  const bool has_words = what.find(words) != std::string_view::npos;
  return Error{code(), has_words ? std::string(what) : concat(what, ": ", words)};
}

Result<std::unique_ptr<Netlink>> open_netlink(int protocol) {
  MARGAY_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(protocol, kReceiveBufferBytes));
  return std::unique_ptr<Netlink>(std::make_unique<KernelNetlink>(std::move(socket)));
}

Result<std::unique_ptr<Monitor>> open_monitor(loop::FdWatcher& watcher, int protocol, const std::vector<int>& groups,
                                              MonitorEvents events, std::optional<std::uint32_t> except) {
  MARGAY_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(protocol, kReceiveBufferBytes));
  if (except) MARGAY_RETURN_IF_ERROR(leave_out(socket, *except));
  for (int group : groups) {
    if (!socket.set(NETLINK_ADD_MEMBERSHIP, group)) return last_error(concat("netlink group ", group));
  }
  auto monitor = std::make_unique<KernelMonitor>(std::move(socket), std::move(events));
  MARGAY_RETURN_IF_ERROR(monitor->start(watcher));
  return std::unique_ptr<Monitor>(std::move(monitor));
}

}  // namespace margay::netlink
