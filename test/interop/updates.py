"""UPDATEs for raw peers: the attributes of a sound route, and many prefixes in few messages."""
import struct

from raw import attribute, path, prefix, update

NEXT_HOP = b"\x0a\x62\x00\x02"


def sound(is_internal, asn=64513, med=1, skip=(), replace=None, extra=b"", medless=False):
    """The attributes of a sound route; `replace` gives other bytes for one type, `extra` follows."""
    parts = {1: attribute(0x40, 1, b"\0"), 2: attribute(0x40, 2, b"" if is_internal else path(asn)), 3: attribute(0x40, 3, NEXT_HOP)}
    if not medless:
        parts[4] = attribute(0x80, 4, struct.pack("!I", med))
    if is_internal:
        parts[5] = attribute(0x40, 5, struct.pack("!I", 100))
    parts.update(replace or {})
    return b"".join(parts[kind] for kind in sorted(parts) if kind not in skip) + extra


def announce(prefixes, attributes, room=4096):
    """As many UPDATEs as they need."""
    out, nlri = b"", b""
    for one in map(prefix, prefixes):
        if len(attributes) + len(nlri) + len(one) > room - 64:
            out, nlri = out + update(attributes, nlri), b""
        nlri += one
    return out + (update(attributes, nlri) if nlri else b"")


def withdraw(prefixes):
    out, gone = b"", b""
    for one in map(prefix, prefixes):
        if len(gone) + len(one) > 4000:
            out, gone = out + update(withdrawn=gone), b""
        gone += one
    return out + (update(withdrawn=gone) if gone else b"")


def some_communities(count, asn=65010):
    return attribute(0xC0, 8, b"".join(struct.pack("!HH", asn, n) for n in range(count)))
