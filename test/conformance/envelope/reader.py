"""Reads an envelope from standard input and writes its plaintext to standard output.

Written from docs/envelope-format.md alone. Arguments are the context pairs that are expected, NAME=VALUE. The data key is
that of DATA_KEY (hex); without it, transit at VAULT_ADDR is asked for it with VAULT_TOKEN. Exit code 1: it is refused.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import struct
import sys
import urllib.request

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"KEYHOLD\x01"
FRAME = 1_048_576
TAG = 16


class Refused(Exception):
    pass


def demand(condition, what):
    if not condition:
        raise Refused(what)


class Fields:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        demand(self.at + count <= len(self.data), "a field reaches beyond the header")
        self.at += count
        return self.data[self.at - count : self.at]

    def sized(self, least, most):
        (count,) = struct.unpack(">H", self.take(2))
        demand(least <= count <= most, "the length of a field")
        return self.take(count)


def read_header(stream):
    start = stream.read(12)
    demand(len(start) == 12 and start[:8] == MAGIC, "magic or version")
    (length,) = struct.unpack(">I", start[8:])
    demand(12 <= length <= 65_536, "length of the header")
    header = start + stream.read(length - 12)
    demand(len(header) == length, "it ends in its header")
    return header


def parse_header(header):
    fields = Fields(header)
    fields.take(12)
    salt = fields.take(32)
    key = fields.sized(1, 256)
    demand(re.fullmatch(rb"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?", key), "key name")
    wrapped = fields.sized(1, 8_192)
    demand(re.fullmatch(rb"[\x21-\x7e]+", wrapped), "wrapped key")
    context_from = fields.at
    (count,) = struct.unpack(">H", fields.take(2))
    demand(count <= 32, "number of context pairs")
    pairs = [(fields.sized(1, 256), fields.sized(0, 1_024)) for _ in range(count)]
    names = [name for name, _ in pairs]
    demand(all(one < other for one, other in zip(names, names[1:])), "order of the context pairs")
    try:
        context = {name.decode(): value.decode() for name, value in pairs}
    except UnicodeDecodeError:
        raise Refused("a text is no UTF-8") from None
    block = header[context_from : fields.at]
    commitment = fields.take(32)
    demand(fields.at == len(header), "the header is longer than its fields")
    return salt, key.decode(), wrapped.decode(), context, block, commitment


def unwrap(key, wrapped, context, block):
    if "DATA_KEY" in os.environ:
        return bytes.fromhex(os.environ["DATA_KEY"])
    body = {"ciphertext": wrapped}
    if context:
        body["context"] = base64.b64encode(block).decode()
    request = urllib.request.Request(
        f"{os.environ['VAULT_ADDR']}/v1/transit/decrypt/{key}",
        data=json.dumps(body).encode(),
        headers={"X-Vault-Token": os.environ["VAULT_TOKEN"]},
        method="POST",
    )
    with urllib.request.urlopen(request) as answer:
        return base64.b64decode(json.load(answer)["data"]["plaintext"])


def read_frames(stream, message_key, associated, out):
    cipher = AESGCM(message_key)
    frame = stream.read(FRAME + TAG)
    number = 0
    while True:
        following = stream.read(FRAME + TAG)
        last = following == b""
        demand(number < 2**32, "too many frames")
        demand(len(frame) >= TAG, "a frame without a tag")
        demand(len(frame) > TAG or number == 0, "an empty frame")
        nonce = bytes(7) + struct.pack(">IB", number, 1 if last else 0)
        try:
            out.write(cipher.decrypt(nonce, frame, associated))
        except InvalidTag:
            raise Refused(f"frame {number} does not open") from None
        if last:
            return
        frame, number = following, number + 1


def read_envelope(stream, expected, out):
    header = read_header(stream)
    salt, key, wrapped, context, block, commitment = parse_header(header)
    demand(context == expected, "another context")
    data_key = unwrap(key, wrapped, context, block)
    demand(len(data_key) == 32, "the data key has not 32 bytes")
    derived = HKDF(SHA256(), 64, salt, b"keyhold envelope v1").derive(data_key)
    demand(hmac.compare_digest(derived[32:], commitment), "commitment")
    read_frames(stream, derived[:32], hashlib.sha256(header).digest(), out)


if __name__ == "__main__":
    try:
        read_envelope(sys.stdin.buffer, dict(pair.split("=", 1) for pair in sys.argv[1:]), sys.stdout.buffer)
    except Refused as refusal:
        sys.exit(f"refused: {refusal}")
