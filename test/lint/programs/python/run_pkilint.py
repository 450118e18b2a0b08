"""Runs pkilint over certificates. Each line of the input is a certificate (DER, base64), followed by that of its issuer
where the pair is to be checked; each line of the output is a JSON list of the findings at notice and above."""

import base64
import importlib.metadata
import json
import sys

from pkilint import loader, validation
from pkilint.bin import lint_pkix_signer_signee_cert_chain as pairs
from pkilint.pkix import certificate, extension, name

PAIR_DECODERS = pairs.create_decoder_validation_container()
PAIR_VALIDATORS = {
    "issuer": pairs.create_issuer_validation_container(),
    "subject": pairs.create_subject_validation_container(),
}
ONE = certificate.create_pkix_certificate_validator_container(
    certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
    [
        certificate.create_issuer_validator_container([]),
        certificate.create_validity_validator_container(),
        certificate.create_subject_validator_container([]),
        certificate.create_extensions_validator_container([]),
        certificate.create_spki_validator_container([]),
    ],
)


def findings(results):
    return [
        {
            "code": each.finding.code,
            "severity": each.finding.severity.name.lower(),
            "details": f"{result.node.path}: {each.message or ''}",
        }
        for result in results
        for each in result.finding_descriptions
        if each.finding.severity <= validation.ValidationFindingSeverity.NOTICE
    ]


def lint(der):
    return findings(ONE.validate(loader.load_certificate(der, "certificate").root))


def lint_pair(subject_der, issuer_der):
    documents = {}
    for role, der in [("issuer", issuer_der), ("subject", subject_der)]:
        documents[role] = loader.load_certificate(der, role, role, documents)
    results = []
    for document in documents.values():
        results += PAIR_DECODERS.validate(document.root)
    for role, validators in PAIR_VALIDATORS.items():
        results += validators.validate(documents[role].root)
    return findings(results)


def main():
    if sys.argv[1:] == ["version"]:
        print(f"pkilint {importlib.metadata.version('pkilint')}")
        return
    for line in sys.stdin:
        ders = [base64.b64decode(each) for each in line.split()]
        try:
            answer = lint(ders[0]) + (lint_pair(*ders) if len(ders) > 1 else [])
        except ValueError as error:
            answer = [{"code": "unreadable", "severity": "fatal", "details": str(error)}]
        print(json.dumps(answer), flush=True)


main()
