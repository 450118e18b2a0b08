"""Prints what cryptography (pyca) reads. Each line of the input is "certificate" or "request" and its DER in base64; each
line of the output is a JSON object: the fields of readers/reading.ts, or {"refused": REASON}."""

import base64
import hashlib
import json
import sys

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID

CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
OTHER_NAMES = {x509.OtherName: 0, x509.DirectoryName: 4, x509.RegisteredID: 8}
USAGES = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
          "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]


def text(value):
    return (value.encode() if isinstance(value, str) else value).hex()


def key(public):
    if isinstance(public, rsa.RSAPublicKey):
        return f"RSA {public.key_size}"
    if isinstance(public, ec.EllipticCurvePublicKey):
        return f"ECDSA {CURVES[public.curve.name]}"
    if isinstance(public, ed25519.Ed25519PublicKey):
        return "Ed25519"
    return type(public).__name__


def spki(public):
    return hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def attributes(name):
    return [[each.oid.dotted_string, text(each.value)] for each in name]


def value_of(extensions, oid):
    try:
        return extensions.get_extension_for_oid(oid).value
    except x509.ExtensionNotFound:
        return None


def names(extensions):
    found = value_of(extensions, ExtensionOID.SUBJECT_ALTERNATIVE_NAME) or []
    of = lambda kind: [each.value for each in found if isinstance(each, kind)]
    return {
        "dnsNames": [text(each) for each in of(x509.DNSName)],
        "emailAddresses": [text(each) for each in of(x509.RFC822Name)],
        "uris": [text(each) for each in of(x509.UniformResourceIdentifier)],
        "ipAddresses": [each.packed.hex() for each in of(x509.IPAddress)],
        "otherNames": [OTHER_NAMES[type(each)] for each in found if type(each) in OTHER_NAMES],
    }


def key_usage(extensions):
    usage = value_of(extensions, ExtensionOID.KEY_USAGE)
    if usage is None:
        return None
    # The last two bits have a meaning only beside key agreement, and raise without it.
    asked = USAGES if usage.key_agreement else USAGES[:7]
    return [bit for bit, name in enumerate(asked) if getattr(usage, name)]


def hex_or_none(value):
    return None if value is None else value.hex()


def extension_fields(extensions):
    purposes = value_of(extensions, ExtensionOID.EXTENDED_KEY_USAGE)
    constraints = value_of(extensions, ExtensionOID.BASIC_CONSTRAINTS)
    subject_key = value_of(extensions, ExtensionOID.SUBJECT_KEY_IDENTIFIER)
    authority_key = value_of(extensions, ExtensionOID.AUTHORITY_KEY_IDENTIFIER)
    return {
        "extensions": [[each.oid.dotted_string, each.critical] for each in extensions],
        "keyUsage": key_usage(extensions),
        "extendedKeyUsage": None if purposes is None else [each.dotted_string for each in purposes],
        "isCA": None if constraints is None else constraints.ca,
        "pathLength": None if constraints is None else constraints.path_length,
        "subjectKeyId": None if subject_key is None else subject_key.digest.hex(),
        "authorityKeyId": None if authority_key is None else hex_or_none(authority_key.key_identifier),
        **names(extensions),
    }


def serial(number):
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big").hex()


def read_certificate(der):
    certificate = x509.load_der_x509_certificate(der)
    public = certificate.public_key()
    return {
        "version": certificate.version.value + 1,
        "serialNumber": serial(certificate.serial_number),
        "signatureAlgorithm": certificate.signature_algorithm_oid.dotted_string,
        "issuer": attributes(certificate.issuer),
        "subject": attributes(certificate.subject),
        "subjectRdns": [len(list(rdn)) for rdn in certificate.subject.rdns],
        "subjectTags": [each._type.value for each in certificate.subject],
        "notBefore": int(certificate.not_valid_before_utc.timestamp()),
        "notAfter": int(certificate.not_valid_after_utc.timestamp()),
        "key": key(public),
        "spkiSHA256": spki(public),
        **extension_fields(certificate.extensions),
    }


def read_request(der):
    request = x509.load_der_x509_csr(der)
    if not request.is_signature_valid:
        raise ValueError("the signature is wrong")
    public = request.public_key()
    return {
        "signatureAlgorithm": request.signature_algorithm_oid.dotted_string,
        "subject": attributes(request.subject),
        "key": key(public),
        "spkiSHA256": spki(public),
        **extension_fields(request.extensions),
    }


READERS = {"certificate": read_certificate, "request": read_request}


def main():
    for line in sys.stdin:
        kind, encoded = line.split()
        try:
            answer = READERS[kind](base64.b64decode(encoded))
        except Exception as error:  # Whatever it raises, it has refused.
            answer = {"refused": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
