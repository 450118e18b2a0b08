"""Reads key stores with the library that Python programs use. See ../readers.ts for its input and output."""

import sys

# The folder of the packages.
sys.path.insert(0, sys.argv[1])

from base64 import b64decode, b64encode

import cryptography
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12


def entry(kind, alias, key, *chain):
    der = [certificate.public_bytes(Encoding.DER) for certificate in chain]
    return ":".join([kind, encode(alias or b""), encode(key), ",".join(map(encode, der))])


def encode(data):
    return b64encode(data).decode("ascii")


def read(password, store):
    found = load_pkcs12(store, password)
    if found.key is None:
        return [entry("trusted", each.friendly_name, b"", each.certificate) for each in found.additional_certs]
    key = found.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    others = [each.certificate for each in found.additional_certs]
    return [entry("key", found.cert.friendly_name, key, found.cert.certificate, *others)]


def answer(line):
    _, password, store = line.split()
    try:
        return " ".join(["ok", *read(b64decode(password), b64decode(store))])
    except Exception as error:
        return f"error {type(error).__name__}: {error}".replace("\n", " ")


if sys.argv[2:] == ["version"]:
    print(cryptography.__version__)
else:
    for line in sys.stdin:
        print(answer(line), flush=True)
