"""A BGP speaker of bytes: sends whatever a test wants, and takes what it gets apart strictly.

Nothing here is taken from the product: a message that does not parse here is a fault of its sender.
"""
import contextlib
import ctypes
import os
import select
import socket
import struct
import time

MARKER = b"\xff" * 16
OPEN, UPDATE, NOTIFICATION, KEEPALIVE, REFRESH = 1, 2, 3, 4, 5
CLONE_NEWNET = 0x40000000


@contextlib.contextmanager
def inside(namespace):
    """Sockets made inside belong to the namespace for good."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        assert libc.setns(there, CLONE_NEWNET) == 0
        yield
    finally:
        assert libc.setns(home, CLONE_NEWNET) == 0
        os.close(home)
        os.close(there)


def message(kind, body=b""):
    return MARKER + struct.pack("!HB", 19 + len(body), kind) + body


def attribute(flags, kind, value=b""):
    if len(value) > 255 or flags & 0x10:
        return struct.pack("!BBH", flags | 0x10, kind, len(value)) + value
    return struct.pack("!BBB", flags, kind, len(value)) + value


def prefix(text):
    address, length = text.split("/")
    length = int(length)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return bytes([length]) + socket.inet_pton(family, address)[: (length + 7) // 8]


def path(*numbers, kind=2):
    return struct.pack("!BB", kind, len(numbers)) + b"".join(struct.pack("!I", n) for n in numbers) if numbers else b""


def update(attributes=b"", nlri=b"", withdrawn=b"", attributes_length=None):
    size = len(attributes) if attributes_length is None else attributes_length
    return message(UPDATE, struct.pack("!H", len(withdrawn)) + withdrawn + struct.pack("!H", size) + attributes + nlri)


def usual_capabilities(asn):
    """Both families, route refresh, four-octet numbers."""
    return [(1, b"\0\1\0\1"), (1, b"\0\2\0\1"), (2, b""), (65, struct.pack("!I", asn))]


EXTENDED_MESSAGE = (6, b"")
ENHANCED_REFRESH = (70, b"")


def graceful_restart(seconds, flags=0):
    return (64, struct.pack("!H", flags << 12 | seconds) + b"\0\1\1\x80\0\2\1\x80")


def long_lived(seconds):
    time = struct.pack("!I", seconds)[1:]
    return (71, b"\0\1\1\x80" + time + b"\0\2\1\x80" + time)


def open_message(asn, router_id, hold=90, capabilities=None):
    if capabilities is None:
        capabilities = usual_capabilities(asn)
    inner = b"".join(struct.pack("!BB", code, len(value)) + value for code, value in capabilities)
    parameters = struct.pack("!BB", 2, len(inner)) + inner if inner else b""
    return message(OPEN, struct.pack("!BHH", 4, min(asn, 23456) if asn > 65535 else asn, hold) + socket.inet_aton(router_id)
                   + bytes([len(parameters)]) + parameters)


def communities(attributes):
    value = attributes.get(8, (0, b""))[1]
    return ["%d:%d" % struct.unpack("!HH", value[i:i + 4]) for i in range(0, len(value), 4)]


class Malformed(AssertionError):
    pass


class Refused(Exception):
    """The connection was closed before anything was said on it."""


def check(condition, what):
    if not condition:
        raise Malformed(what)


# type: (flags without Partial and Extended Length, check of the value)
KNOWN = {
    1: (0x40, lambda v: len(v) == 1 and v[0] <= 2),
    2: (0x40, lambda v: path_is_sound(v)),
    3: (0x40, lambda v: len(v) == 4),
    4: (0x80, lambda v: len(v) == 4),
    5: (0x40, lambda v: len(v) == 4),
    6: (0x40, lambda v: len(v) == 0),
    7: (0xC0, lambda v: len(v) == 8),
    8: (0xC0, lambda v: len(v) > 0 and len(v) % 4 == 0),
    9: (0x80, lambda v: len(v) == 4),
    10: (0x80, lambda v: len(v) > 0 and len(v) % 4 == 0),
    14: (0x80, lambda v: len(v) >= 5),
    15: (0x80, lambda v: len(v) >= 3),
    16: (0xC0, lambda v: len(v) > 0 and len(v) % 8 == 0),
    32: (0xC0, lambda v: len(v) > 0 and len(v) % 12 == 0),
}


def path_is_sound(value):
    while value:
        if len(value) < 2 or value[0] not in (1, 2, 3, 4) or value[1] == 0 or len(value) < 2 + 4 * value[1]:
            return False
        value = value[2 + 4 * value[1]:]
    return True


def split_prefixes(data, bits):
    out = []
    while data:
        length = data[0]
        size = (length + 7) // 8
        check(length <= bits and len(data) > size, "NLRI")
        padded = data[1:1 + size].ljust(bits // 8, b"\0")
        out.append(f"{socket.inet_ntop(socket.AF_INET if bits == 32 else socket.AF_INET6, padded)}/{length}")
        data = data[1 + size:]
    return out


def split_attributes(data):
    out, last = {}, None
    while data:
        check(len(data) >= 3, "attribute header")
        flags, kind = data[0], data[1]
        if flags & 0x10:
            check(len(data) >= 4, "extended attribute header")
            size, begin = struct.unpack("!H", data[2:4])[0], 4
        else:
            size, begin = data[2], 3
        check(len(data) >= begin + size, f"attribute {kind} is cut off")
        check(kind not in out, f"attribute {kind} twice")
        value = data[begin:begin + size]
        if kind in KNOWN:
            expected, is_sound = KNOWN[kind]
            check(flags & 0xC0 == expected, f"flags of attribute {kind}: {flags:02x}")
            check(is_sound(value), f"attribute {kind}: {value.hex()}")
        out[kind] = (flags, value)
        last = kind
        data = data[begin + size:]
    del last
    return out


class RawPeer:
    """Connects from a host of a Lan; reads while it waits."""

    def __init__(self, lan, host, asn, target, source=None, router_id=None, ttl=None):
        self.lan, self.host, self.asn, self.target = lan, host, asn, target
        self.source = source or (f"fd98::{host}" if ":" in target else f"10.98.0.{host}")
        self.router_id = router_id or (f"10.98.0.{host}" if ":" in self.source else self.source)
        self.socket, self.ttl = None, ttl
        self.reset_state()

    def reset_state(self):
        self.buffer = b""
        self.messages = []
        self.routes = {}       # prefix: attributes
        self.notification = None
        self.notification_data = b""
        self.is_up = False
        self.is_closed = False
        self.end_of_rib = set()
        self.is_extended = False  # RFC 8654: agreed on
        self.largest = 0          # message, in bytes
        self.told = []            # every ("+" or "-", prefix), in order

    def connect(self, **options):
        """Until the session is up: a speaker may refuse for a while after a fault (idle hold)."""
        deadline = time.monotonic() + 30
        while True:
            try:
                self.connect_socket()
                self.handshake(**options)
                return self
            except (OSError, Refused):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def connect_socket(self):
        self.close()
        self.reset_state()
        family = socket.AF_INET6 if ":" in self.target else socket.AF_INET
        with inside(self.lan.namespace(self.host)):
            self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.ttl:
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, self.ttl)
        self.socket.bind((self.source, 0))
        self.socket.connect((self.target, 179))

    def handshake(self, **options):
        self.is_extended = EXTENDED_MESSAGE in (options.get("capabilities") or [])
        self.send(open_message(self.asn, self.router_id, **options))
        self.wait(lambda: any(kind == OPEN for kind, _ in self.messages), "an OPEN")
        self.send(message(KEEPALIVE))
        self.wait(lambda: self.is_up, "Established")

    def send(self, data):
        self.socket.sendall(data)

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None

    def drain(self):
        """All that has arrived."""
        while not self.is_closed and self.read(0):
            pass

    def wait(self, condition, what, limit=20):
        deadline = time.monotonic() + limit
        while not condition():
            if self.is_closed and not self.messages:
                raise Refused(f"no {what() if callable(what) else what}: closed")
            if self.is_closed or not self.read(deadline - time.monotonic()):
                raise AssertionError(f"no {what() if callable(what) else what}; closed={self.is_closed} notification={self.notification}")

    def read(self, seconds):
        """One piece of input; False when none came in time."""
        ready, _, _ = select.select([self.socket], [], [], max(0, seconds))
        if not ready:
            return False
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionError:
            data = b""
        if not data:
            self.is_closed = True
            return True
        self.buffer += data
        while len(self.buffer) >= 19:
            check(self.buffer[:16] == MARKER, "marker")
            size, kind = struct.unpack("!HB", self.buffer[16:19])
            check(19 <= size <= (65535 if self.is_extended else 4096), f"length {size}")
            self.largest = max(self.largest, size)
            if len(self.buffer) < size:
                break
            self.take(kind, self.buffer[19:size])
            self.buffer = self.buffer[size:]
        return True

    def take(self, kind, body):
        self.messages.append((kind, body))
        if kind == NOTIFICATION:
            self.notification = (body[0], body[1])
            self.notification_data = body[2:]
        elif kind == KEEPALIVE:
            self.is_up = True
        elif kind == UPDATE:
            self.take_update(body)

    def take_update(self, body):
        withdrawn_size = struct.unpack("!H", body[:2])[0]
        withdrawn = body[2:2 + withdrawn_size]
        rest = body[2 + withdrawn_size:]
        attributes_size = struct.unpack("!H", rest[:2])[0]
        check(2 + attributes_size <= len(rest), "attributes run past the message")
        attributes = split_attributes(rest[2:2 + attributes_size])
        nlri = split_prefixes(rest[2 + attributes_size:], 32)
        gone = split_prefixes(withdrawn, 32)
        if 15 in attributes:
            gone += split_prefixes(attributes[15][1][3:], 128)
            if attributes[15][1] == b"\0\2\1":
                self.end_of_rib.add(6)
        for one in gone:
            self.routes.pop(one, None)
            self.told.append(("-", one))
        reach = list(nlri)
        if 14 in attributes:
            value = attributes[14][1]
            bits = 32 if value[:2] == b"\0\1" else 128
            reach += split_prefixes(value[5 + value[3]:], bits)
        if reach:
            check(1 in attributes and 2 in attributes, "a route without ORIGIN or AS_PATH")
            check(3 in attributes or 14 in attributes, "a route without next hop")
        if not reach and not withdrawn and not attributes:
            self.end_of_rib.add(4)
        for one in reach:
            self.routes[one] = attributes
            self.told.append(("+", one))
