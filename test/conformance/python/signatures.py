"""Signatures and HMACs of every type and option are checked here, and those made here there."""
import base64
import hashlib
import hmac as python_hmac
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, utils
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509 import load_pem_x509_csr

from ciphers import hkdf
from server import CONTEXT, MESSAGE, b64, body_of, case, exported, make, read, same, text_of, unb64, write

HASHES = {
    "sha1": hashes.SHA1(),
    "sha2-224": hashes.SHA224(),
    "sha2-256": hashes.SHA256(),
    "sha2-384": hashes.SHA384(),
    "sha2-512": hashes.SHA512(),
    "sha3-224": hashes.SHA3_224(),
    "sha3-256": hashes.SHA3_256(),
    "sha3-384": hashes.SHA3_384(),
    "sha3-512": hashes.SHA3_512(),
}
CURVES = {"ecdsa-p256": ec.SECP256R1, "ecdsa-p384": ec.SECP384R1, "ecdsa-p521": ec.SECP521R1}

# No key is agreed upon over the last.
SIGNING_CURVES = [*CURVES, "ecdsa-secp256k1"]


def digest(algorithm, data):
    done = hashes.Hash(algorithm)
    done.update(data)
    return done.finalize()


def unb64url(text):
    assert "=" not in text and "+" not in text and "/" not in text, "base64url without padding"
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def both_inputs(algorithm):
    """The message, and its digest as `prehashed`."""
    return ({"input": b64(MESSAGE)}, {"input": b64(digest(algorithm, MESSAGE)), "prehashed": True})


def taken_there(name, signature, wanted=True, **options):
    same("valid there", write(f"transit/verify/{name}", signature=signature, **options)["valid"], wanted)


def signing_key(name, kind):
    """Made once; each way that it is exported is the same key."""
    make(name, kind)
    key = load_pem_private_key(exported("signing-key", name).encode(), None)
    others = [
        load_pem_private_key(exported("signing-key", name, "pem").encode(), None),
        load_der_private_key(unb64(exported("signing-key", name, "der")), None),
    ]
    for other in others:
        same("key in another form", other.private_numbers(), key.private_numbers())
    shown = read(f"transit/keys/{name}")["keys"]["1"]["public_key"]
    for public in (shown, exported("public-key", name), exported("public-key", name, "pem")):
        same("public half", load_pem_public_key(public.encode()).public_numbers(), key.public_key().public_numbers())
    return key


@case(*((kind, name) for kind in SIGNING_CURVES for name in HASHES))
def ecdsa(kind, hash_name):
    name, algorithm = f"sign-{kind}", HASHES[hash_name]
    key = signing_key(name, kind)
    size = (key.curve.key_size + 7) // 8
    for options in both_inputs(algorithm):
        options["hash_algorithm"] = hash_name
        asn1 = write(f"transit/sign/{name}", **options)["signature"]
        key.public_key().verify(body_of(asn1), MESSAGE, ec.ECDSA(algorithm))
        jws = write(f"transit/sign/{name}", marshaling_algorithm="jws", **options)["signature"]
        raw = body_of(jws, decode=unb64url)
        same("length", len(raw), 2 * size)
        r, s = int.from_bytes(raw[:size], "big"), int.from_bytes(raw[size:], "big")
        key.public_key().verify(utils.encode_dss_signature(r, s), MESSAGE, ec.ECDSA(algorithm))
        ours = key.sign(MESSAGE, ec.ECDSA(algorithm))
        taken_there(name, text_of(ours), **options)
        r, s = utils.decode_dss_signature(ours)
        joined = base64.urlsafe_b64encode(r.to_bytes(size, "big") + s.to_bytes(size, "big")).rstrip(b"=").decode()
        taken_there(name, f"vault:v1:{joined}", marshaling_algorithm="jws", **options)
        taken_there(name, text_of(utils.encode_dss_signature(r + 1, s)), False, **options)


def rsa_paddings(key, algorithm):
    """What the server calls a padding; how to check it; how a signature with it is made here."""
    mask = padding.MGF1(algorithm)
    longest = key.key_size // 8 - 2 - algorithm.digest_size
    pss = lambda salt: padding.PSS(mask, salt)
    yield {"signature_algorithm": "pkcs1v15"}, padding.PKCS1v15(), padding.PKCS1v15()
    yield {"signature_algorithm": "pss"}, pss(longest), pss(17)
    yield {"salt_length": "auto"}, pss(longest), pss(longest)
    yield {"salt_length": "hash"}, pss(algorithm.digest_size), pss(algorithm.digest_size)
    yield {"salt_length": "21"}, pss(21), pss(21)


@case(*(("rsa-2048", name) for name in HASHES), ("rsa-3072", "sha2-384"), ("rsa-4096", "sha2-512"))
def rsa(kind, hash_name):
    name, algorithm = f"sign-{kind}", HASHES[hash_name]
    key = signing_key(name, kind)
    for scheme, checked, made_here in rsa_paddings(key, algorithm):
        for options in both_inputs(algorithm):
            options.update(scheme, hash_algorithm=hash_name)
            signature = write(f"transit/sign/{name}", **options)["signature"]
            key.public_key().verify(body_of(signature), MESSAGE, checked, algorithm)
            ours = key.sign(MESSAGE, made_here, algorithm)
            taken_there(name, text_of(ours), **options)
            taken_there(name, text_of(ours[:-1] + bytes([ours[-1] ^ 1])), False, **options)


@case("rsa-2048")
def rsa_without_a_hash(kind):
    name = f"sign-{kind}"
    key = signing_key(name, kind)
    options = {"input": b64(MESSAGE), "hash_algorithm": "none", "prehashed": True, "signature_algorithm": "pkcs1v15"}
    signature = write(f"transit/sign/{name}", **options)["signature"]
    key.public_key().verify(body_of(signature), MESSAGE, padding.PKCS1v15(), utils.NoDigestInfo())
    taken_there(name, text_of(key.sign(MESSAGE, padding.PKCS1v15(), utils.NoDigestInfo())), **options)


def ed25519_of(name):
    pair = unb64(exported("signing-key", name))
    key = ed25519.Ed25519PrivateKey.from_private_bytes(pair[:32])
    same("public half", key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), pair[32:])
    return key, pair


@case("as itself")
def ed25519_signs(_):
    make("ed", "ed25519")
    key, _ = ed25519_of("ed")
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    same("PKCS #8", unb64(exported("signing-key", "ed", "der")), der)
    public = load_pem_public_key(exported("public-key", "ed", "pem").encode())
    same("public half", public.public_bytes_raw(), unb64(exported("public-key", "ed")))
    for options in ({}, {"hash_algorithm": "sha3-512", "prehashed": True}):
        made = write("transit/sign/ed", input=b64(MESSAGE), **options)["signature"]
        same("signature", body_of(made), key.sign(MESSAGE))
    jws = write("transit/sign/ed", input=b64(MESSAGE), marshaling_algorithm="jws")["signature"]
    same("signature", body_of(jws, decode=unb64url), key.sign(MESSAGE))


@case("for a context")
def ed25519_derived(_):
    make("ed-derived", "ed25519", derived=True)
    _, pair = ed25519_of("ed-derived")
    for context in (CONTEXT, bytes(2000)):
        key = ed25519.Ed25519PrivateKey.from_private_bytes(hkdf(pair, context, 32))
        made = write("transit/sign/ed-derived", input=b64(MESSAGE), context=b64(context))
        same("signature", body_of(made["signature"]), key.sign(MESSAGE))
        same("public half", unb64(made["public_key"]), key.public_key().public_bytes_raw())


@case("aes256-gcm96", "ed25519", "rsa-2048", "ecdsa-p384", "hmac")
def hmac(kind):
    name = f"hmac-{kind}"
    make(name, kind, **({"key_size": 100} if kind == "hmac" else {}))
    key = unb64(exported("hmac-key", name))
    same("length", len(key), 100 if kind == "hmac" else 32)
    for hash_name in HASHES:
        wanted = python_hmac.new(key, MESSAGE, hash_name.replace("sha2-", "sha").replace("-", "_")).digest()
        made = write(f"transit/hmac/{name}/{hash_name}", input=b64(MESSAGE))["hmac"]
        same(hash_name, body_of(made), wanted)


@case("aes128-cmac", "aes256-cmac")
def cmac(kind):
    make(kind, kind)
    key = unb64(json.loads(unb64(read(f"transit/backup/{kind}")["backup"]))["policy"]["keys"]["1"]["key"])
    for message in (b"", MESSAGE, bytes(64)):
        mac = CMAC(AES(key))
        mac.update(message)
        same("CMAC", body_of(write(f"transit/cmac/{kind}", input=b64(message))["cmac"]), mac.finalize())


@case("ml-dsa-44", "ml-dsa-65", "ml-dsa-87")
def ml_dsa(kind):
    make(kind, kind)
    public = load_pem_public_key(exported("public-key", kind, "pem").encode())
    same("public half", unb64(exported("public-key", kind)), public.public_bytes_raw())
    public.verify(body_of(write(f"transit/sign/{kind}", input=b64(MESSAGE))["signature"]), MESSAGE)
    # PKCS #8 with the seed and the expanded key (RFC 9881, 6); `cryptography` reads the seed alone.
    der = unb64(exported("signing-key", kind, "der"))
    seed_at = der.index(b"\x04\x20") + 2
    private = getattr(mldsa, f"MLDSA{kind[-2:]}PrivateKey").from_seed_bytes(der[seed_at : seed_at + 32])
    same("public half", private.public_key().public_bytes_raw(), public.public_bytes_raw())
    taken_there(kind, text_of(private.sign(MESSAGE)), input=b64(MESSAGE))
    taken_there(kind, text_of(private.sign(MESSAGE + b"!")), False, input=b64(MESSAGE))


@case(*CURVES, "rsa-2048", "rsa-4096", "ed25519")
def certificate_request(kind):
    name = f"csr-{kind}"
    make(name, kind)
    request = load_pem_x509_csr(write(f"transit/keys/{name}/csr")["csr"].encode())
    assert request.is_signature_valid, "the request is not signed by its key"
    public = request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    same("key", public, unb64(exported("public-key", name, "der")))


@case(*(name for name in HASHES if name != "sha1"))
def hash_tool(hash_name):
    made = write(f"transit/hash/{hash_name}", input=b64(MESSAGE))["sum"]
    same("digest", made, hashlib.new(hash_name.replace("sha2-", "sha").replace("-", "_"), MESSAGE).hexdigest())
