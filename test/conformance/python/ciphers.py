"""Ciphertexts of every type are opened here, and those made here there."""
import hashlib
import hmac
import os
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key, load_pem_public_key

from server import CONTEXT, MESSAGE, b64, body_of, case, exported, make, read, refuses, same, text_of, unb64, write

AAD = b"bound to this"
NONCE_BYTES = {"xchacha20-poly1305": 24}
AEADS = ["aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305"]
RSA = ["rsa-2048", "rsa-3072", "rsa-4096"]
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


def hkdf(key, context, length):
    return HKDF(hashes.SHA256(), length, None, context).derive(key)


def hchacha20(key, nonce):
    """draft-irtf-cfrg-xchacha, 2.2: `cryptography` has ChaCha20-Poly1305, and this makes a longer nonce fit it."""
    state = list(struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key) + struct.unpack("<4I", nonce))

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[x] = (state[x] + state[y]) & 0xFFFFFFFF
            mixed = state[z] ^ state[x]
            state[z] = ((mixed << turn) | (mixed >> (32 - turn))) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for row in range(4):
            quarter(row, (row + 1) % 4 + 4, (row + 2) % 4 + 8, (row + 3) % 4 + 12)
    return struct.pack("<8I", *state[:4], *state[12:])


def cipher(kind, key, nonce):
    """The cipher, and the nonce that it takes."""
    if kind == "xchacha20-poly1305":
        return ChaCha20Poly1305(hchacha20(key, nonce[:16])), bytes(4) + nonce[16:]
    return (ChaCha20Poly1305 if "chacha" in kind else AESGCM)(key), nonce


def open_sealed(kind, key, sealed, aad=None):
    length = NONCE_BYTES.get(kind, 12)
    opener, nonce = cipher(kind, key, sealed[:length])
    return opener.decrypt(nonce, sealed[length:], aad)


def seal(kind, key, plaintext, aad=None):
    given = os.urandom(NONCE_BYTES.get(kind, 12))
    sealer, nonce = cipher(kind, key, given)
    return given + sealer.encrypt(nonce, plaintext, aad)


@case(*AEADS)
def plain(kind):
    name = f"plain-{kind}"
    make(name, kind)
    for version in (1, 2):
        key = unb64(exported("encryption-key", name))
        for plaintext in (b"", MESSAGE, os.urandom(70_000)):
            made = write(f"transit/encrypt/{name}", plaintext=b64(plaintext), associated_data=b64(AAD))
            same("plaintext", open_sealed(kind, key, body_of(made["ciphertext"], version), AAD), plaintext)
            ours = text_of(seal(kind, key, plaintext, AAD), version)
            opened = write(f"transit/decrypt/{name}", ciphertext=ours, associated_data=b64(AAD))
            same("opened there", unb64(opened["plaintext"]), plaintext)
        refuses("other data", lambda: write(f"transit/decrypt/{name}", ciphertext=ours, associated_data=b64(b"x")))
        write(f"transit/keys/{name}/rotate")


@case(*AEADS)
def derived(kind):
    name = f"derived-{kind}"
    make(name, kind, derived=True)
    base = unb64(exported("encryption-key", name))
    for context in (b"x", CONTEXT, os.urandom(1024), os.urandom(3000)):
        key = hkdf(base, context, len(base))
        made = write(f"transit/encrypt/{name}", plaintext=b64(MESSAGE), context=b64(context))
        same("plaintext", open_sealed(kind, key, body_of(made["ciphertext"])), MESSAGE)
        ours = text_of(seal(kind, key, MESSAGE))
        opened = write(f"transit/decrypt/{name}", ciphertext=ours, context=b64(context))
        same("opened there", unb64(opened["plaintext"]), MESSAGE)


@case(*AEADS)
def convergent(kind):
    name = f"convergent-{kind}"
    make(name, kind, derived=True, convergent_encryption=True)
    base = unb64(exported("encryption-key", name))
    both = hkdf(base, CONTEXT, len(base) + 32)
    key, nonce_key = both[:-32], both[-32:]
    for plaintext in (b"", MESSAGE):
        nonce = hmac.new(nonce_key, plaintext, hashlib.sha256).digest()[: NONCE_BYTES.get(kind, 12)]
        sealer, used = cipher(kind, key, nonce)
        made = write(f"transit/encrypt/{name}", plaintext=b64(plaintext), context=b64(CONTEXT))
        same("ciphertext", body_of(made["ciphertext"]), nonce + sealer.encrypt(used, plaintext, None))


@case("aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305", *RSA)
def data_key(kind):
    name = f"plain-{kind}"
    make(name, kind)
    for bits in (128, 256, 512):
        made = write(f"transit/datakey/plaintext/{name}", bits=bits)
        version = made["key_version"]
        sealed = body_of(made["ciphertext"], version)
        if kind in RSA:
            key = load_pem_private_key(exported("encryption-key", name).encode(), None)
            opened = key.decrypt(sealed, OAEP)
        else:
            opened = open_sealed(kind, unb64(exported("encryption-key", name)), sealed)
        same("key", opened, unb64(made["plaintext"]))
        same("bits", len(opened) * 8, bits)


@case(*RSA)
def oaep(kind):
    name = f"oaep-{kind}"
    make(name, kind)
    pem, pkcs8 = exported("encryption-key", name), exported("encryption-key", name, "pem")
    assert pem.startswith("-----BEGIN RSA PRIVATE KEY-----\n") and pem.endswith("-----\n"), "PKCS #1"
    private = load_pem_private_key(pem.encode(), None)
    for other in (load_pem_private_key(pkcs8.encode(), None), load_der_private_key(unb64(exported("encryption-key", name, "der")), None)):
        same("key in another form", other.private_numbers(), private.private_numbers())
    same("bits", private.key_size, int(kind[4:]))
    longest = private.key_size // 8 - 66
    public = load_pem_public_key(read(f"transit/keys/{name}")["keys"]["1"]["public_key"].encode())
    for plaintext in (b"", MESSAGE, os.urandom(longest)):
        made = write(f"transit/encrypt/{name}", plaintext=b64(plaintext))
        same("plaintext", private.decrypt(body_of(made["ciphertext"]), OAEP), plaintext)
        ours = text_of(public.encrypt(plaintext, OAEP))
        same("opened there", unb64(write(f"transit/decrypt/{name}", ciphertext=ours)["plaintext"]), plaintext)
    refuses("one byte more", lambda: write(f"transit/encrypt/{name}", plaintext=b64(bytes(longest + 1))))
