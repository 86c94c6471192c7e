"""Keys on their way: backups are read here, blobs of wrapped keys opened and made here, and keys agreed upon."""
import datetime
import json
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap_with_padding, aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_public_key,
)

from ciphers import AEADS, hkdf, open_sealed, seal
from server import MESSAGE, b64, body_of, case, exported, make, read, same, text_of, unb64, write
from signatures import CURVES

NUMBERS = {"aes256-gcm96": 0, "ecdsa-p256": 1, "ed25519": 2, "rsa-2048": 3, "rsa-4096": 4, "chacha20-poly1305": 5,
           "ecdsa-p384": 6, "ecdsa-p521": 7, "aes128-gcm96": 8, "rsa-3072": 9, "xchacha20-poly1305": 11, "hmac": 11}
OAEP_HASHES = {"SHA1": hashes.SHA1(), "SHA224": hashes.SHA224(), "SHA256": hashes.SHA256(), "SHA384": hashes.SHA384(),
               "SHA512": hashes.SHA512()}
PKCS8 = (Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
SPKI_PEM = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
VERSIONS = 3


def settings_of(kind):
    return {"key_size": 64} if kind == "hmac" else {}


def private_of(kind, entry):
    """A private key out of the numbers of a backup."""
    if kind in CURVES:
        point = ec.EllipticCurvePublicNumbers(entry["ec_x"], entry["ec_y"], CURVES[kind]())
        public = load_pem_public_key(entry["public_key"].encode())
        same("public half", public.public_numbers(), point)
        return ec.EllipticCurvePrivateNumbers(entry["ec_d"], point).private_key()
    numbers, more = entry["rsa_key"], entry["rsa_key"]["Precomputed"]
    p, q = numbers["Primes"]
    public = rsa.RSAPublicNumbers(numbers["E"], numbers["N"])
    same("CRT coefficient", more["Qinv"], rsa.rsa_crt_iqmp(p, q))
    return rsa.RSAPrivateNumbers(p, q, numbers["D"], more["Dp"], more["Dq"], more["Qinv"], public).private_key()


def check_entry(kind, name, version, entry):
    hmac_key = read(f"transit/export/hmac-key/{name}/{version}")["keys"][str(version)]
    same("HMAC key", entry["hmac_key"], hmac_key)
    age = datetime.datetime.now(datetime.timezone.utc).timestamp() - entry["creation_time"]
    assert -5 <= age < 600, f"made {age} seconds ago"
    if kind == "hmac":
        same("key", entry["key"], hmac_key)
        return
    key_kind = "encryption-key" if kind in AEADS else "signing-key"
    form = "" if kind in AEADS or kind == "ed25519" else "?format=der"
    wanted = read(f"transit/export/{key_kind}/{name}/{version}{form}")["keys"][str(version)]
    if kind in AEADS or kind == "ed25519":
        same("key", entry["key"], wanted)
    else:
        numbers = load_der_private_key(unb64(wanted), None).private_numbers()
        same("numbers", private_of(kind, entry).private_numbers(), numbers)


@case(*NUMBERS)
def backup(kind):
    name = f"backup-{kind}"
    make(name, kind, **settings_of(kind))
    for _ in range(VERSIONS - 1):
        write(f"transit/keys/{name}/rotate")
    blob = json.loads(unb64(read(f"transit/backup/{name}")["backup"]))
    policy, archive = blob["policy"], blob["archived_keys"]["keys"]
    same("type", policy["type"], NUMBERS[kind])
    same("versions", [policy["latest_version"], policy["archive_version"], len(archive)], [VERSIONS, VERSIONS, VERSIONS + 1])
    same("the first of the archive", archive[0]["key"], None)
    for version in range(1, VERSIONS + 1):
        entry = policy["keys"][str(version)]
        same("the archive's", archive[version], entry)
        check_entry(kind, name, version, entry)


def exported_bytes(kind, name):
    if kind in AEADS:
        return unb64(exported("encryption-key", name))
    return unb64(exported("hmac-key", name)) if kind == "hmac" else unb64(exported("signing-key", name, "der"))


def oaep_of(hash_name):
    return padding.OAEP(padding.MGF1(OAEP_HASHES[hash_name]), OAEP_HASHES[hash_name], None)


@case(*((bits, name) for bits in (2048, 4096) for name in OAEP_HASHES))
def byok_export(bits, hash_name):
    destination = f"destination-{bits}-{hash_name}"
    ours = rsa.generate_private_key(65537, bits)
    pem = ours.public_key().public_bytes(*SPKI_PEM).decode()
    write(f"transit/keys/{destination}/import", type=f"rsa-{bits}", public_key=pem)
    for kind in ("aes128-gcm96", "aes256-gcm96", "hmac", "ed25519", "ecdsa-p521", "rsa-2048"):
        name = f"backup-{kind}"
        make(name, kind, **settings_of(kind))
        blobs = read(f"transit/byok-export/{destination}/{name}/latest?hash={hash_name}")["keys"]
        blob = unb64(list(blobs.values())[0])
        aes = ours.decrypt(blob[: bits // 8], oaep_of(hash_name))
        same("key", aes_key_unwrap_with_padding(aes, blob[bits // 8 :]), exported_bytes(kind, name))


def wrapped(target, hash_name):
    """A key for this server, as its clients wrap it."""
    wrapping = load_pem_public_key(read("transit/wrapping_key")["public_key"].encode())
    aes = os.urandom(32)
    return b64(wrapping.encrypt(aes, oaep_of(hash_name)) + aes_key_wrap_with_padding(aes, target))


def new_key(kind):
    """Its bytes as an import takes them."""
    if kind in AEADS or kind == "hmac":
        return os.urandom(16 if kind == "aes128-gcm96" else 77 if kind == "hmac" else 32)
    if kind in CURVES:
        return ec.generate_private_key(CURVES[kind]()).private_bytes(*PKCS8)
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate().private_bytes(*PKCS8)
    return rsa.generate_private_key(65537, int(kind[4:])).private_bytes(*PKCS8)


@case(*((kind, list(OAEP_HASHES)[i % len(OAEP_HASHES)]) for i, kind in enumerate(NUMBERS)))
def import_of(kind, hash_name):
    name, target = f"import-{kind}", new_key(kind)
    settings = {"type": kind, "hash_function": hash_name, "exportable": True, "allow_rotation": True}
    write(f"transit/keys/{name}/import", ciphertext=wrapped(target, hash_name), **settings)
    same("key", exported_bytes(kind, name), target)
    second = new_key(kind)
    write(f"transit/keys/{name}/import_version", ciphertext=wrapped(second, hash_name), hash_function=hash_name)
    same("second version", exported_bytes(kind, name), second)


@case(*CURVES)
def agreed_key(kind):
    make(f"agree-{kind}", kind)
    theirs = load_pem_public_key(exported("public-key", f"agree-{kind}").encode())
    ours = ec.generate_private_key(CURVES[kind]())
    for made, length in (("aes128-gcm96", 16), ("aes256-gcm96", 32), ("chacha20-poly1305", 32)):
        name = f"agreed-{kind}-{made}"
        pem = ours.public_key().public_bytes(*SPKI_PEM).decode()
        write(f"transit/derive-key/{name}", base_key_name=f"agree-{kind}", peer_public_key=pem, derived_key_type=made)
        key = hkdf(ours.exchange(ec.ECDH(), theirs), b"", length)
        sealed = write(f"transit/encrypt/{name}", plaintext=b64(MESSAGE))["ciphertext"]
        same("plaintext", open_sealed(made, key, body_of(sealed)), MESSAGE)
        opened = write(f"transit/decrypt/{name}", ciphertext=text_of(seal(made, key, MESSAGE)))
        same("opened there", unb64(opened["plaintext"]), MESSAGE)
