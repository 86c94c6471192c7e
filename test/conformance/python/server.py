"""Speaks to the server of KEYHOLD_ADDR and KEYHOLD_TOKEN, and keeps the list of what is checked."""
import base64
import json
import os
import urllib.error
import urllib.request

MESSAGE = b"the quick brown fox"
CONTEXT = b"my-context"

CASES = []


class Refused(Exception):
    """The server answered with another status than 200 or 204."""


def case(*parameters):
    """Declares a check, once for each of the parameters: a name and what the function takes."""

    def declare(function):
        for one in parameters:
            given = one if isinstance(one, tuple) else (one,)
            name = " ".join([function.__name__.replace("_", " "), *map(str, given)])
            CASES.append((name, function, given))
        return function

    return declare


def b64(data):
    return base64.b64encode(data).decode()


def unb64(text):
    return base64.b64decode(text, validate=True)


def read(path):
    return _call("GET", path, None)


def write(path, **body):
    return _call("POST", path, body)


def make(name, kind, **settings):
    """A key that may leave, and the answer to making it."""
    return write(f"transit/keys/{name}", type=kind, exportable=True, allow_plaintext_backup=True, **settings)


def exported(kind, name, form=""):
    """The newest version of a key, as the server exports it."""
    return list(read(f"transit/export/{kind}/{name}/latest?format={form}")["keys"].values())[0]


def body_of(text, version=1, decode=unb64):
    """The bytes behind `vault:vN:`."""
    prefix = f"vault:v{version}:"
    assert text.startswith(prefix), f"{text[:12]} does not begin with {prefix}"
    return decode(text[len(prefix):])


def text_of(body, version=1):
    return f"vault:v{version}:{b64(body)}"


def same(what, got, wanted):
    assert got == wanted, f"{what} is {got!r:.80}, not {wanted!r:.80}"


def refuses(what, call):
    """The call is answered with 400."""
    try:
        call()
    except Refused as refused:
        same(what, refused.args[0], 400)
        return
    raise AssertionError(f"{what} is taken")


def _call(method, path, body):
    request = urllib.request.Request(
        f"{os.environ['KEYHOLD_ADDR']}/v1/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"X-Vault-Token": os.environ["KEYHOLD_TOKEN"]},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        raise Refused(error.code, f"{method} {path}: {error.read().decode()}") from None
    return json.loads(text)["data"] if text else {}
