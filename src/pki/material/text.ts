import { FROM_FILES, outputOf } from './block-findings.ts';
import { type Finding, mendedBy, type Want } from './error.ts';

/** Recognises text without PEM blocks, by its beginning. Undefined for all others. */
export function textFinding(text: string, want: Want): Finding | undefined {
  const head = text.slice(0, HEAD_CHARACTERS).trim();
  const encoded = encodedPem(text, want);
  if (encoded !== undefined) return encoded;
  const known = KINDS.find(([pattern]) => pattern.test(head));
  if (known !== undefined) return { flaw: 'NotPem', what: known[1], remedy: known[2] ?? FROM_FILES };
  if (URL_ENCODED.test(text)) {
    return mendedBy('URL-encoded PEM', 'decode it', 'ca.txt', `${URL_DECODE} ca.txt > ${outputOf(want)}`);
  }
  if (!LONG_DASHES.test(text)) return undefined;
  const what = 'PEM whose dashes were replaced by long ones, as word processors do';
  return mendedBy(what, 'put them back', 'ca.txt', `${SHORT_DASHES} ca.txt > ${outputOf(want)}`);
}

const HEAD_CHARACTERS = 2_000;

const FROM_FILE =
  'give the content of the file, for example with: kubectl create secret generic ca --from-file=tls.crt=ca.crt --from-file=tls.key=ca.key';
const SSH_KEY = 'an SSH key, not PEM';

const FROM_JWK = 'convert it with: step crypto key format ca.jwk --pem --no-password --insecure --out ca.key';

/** The first that matches counts. Each pattern is bounded by the head that it looks at. */
const KINDS: readonly [RegExp, string, string?][] = [
  [/^(?:\$\{[^\n]*\}|\$\w+|\{\{[^\n]*\}\}|<no value>|null|undefined)$/, 'a placeholder that was never filled in'],
  [/^[a-z][a-z0-9+.-]{1,20}:\/\/\S+$/i, 'a URL, not its content', FROM_FILE],
  [/^@?(?:\.{0,2}\/|~\/|[A-Za-z]:\\)[^\n]*$/, 'the path of a file, not its content', FROM_FILE],
  [/^@?[\w.-]+\.(?:crt|cer|cert|pem|key|der|p12|pfx|p7b|jks)$/i, 'the name of a file, not its content', FROM_FILE],
  [/^(?:<!doctype html|<html)/i, 'an HTML page, not PEM'],
  [/^<\?xml/i, 'XML, not PEM'],
  [/^\$ANSIBLE_VAULT;/, 'encrypted by Ansible Vault', 'decrypt it with: ansible-vault decrypt ca.key'],
  [/^ENC\[AES256_GCM,/, 'encrypted by SOPS', 'decrypt the manifest before it is applied, with: sops -d secret.yaml'],
  [/^AGE-SECRET-KEY-/, 'an age key, not a private key of a CA'],
  [
    /^PuTTY-User-Key-File-/,
    'a key of PuTTY, not PEM',
    'convert it with: puttygen ca.ppk -O private-openssh-new -o ca.key && ssh-keygen -p -N "" -m PKCS8 -f ca.key',
  ],
  [/^(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S+) AAAA/, `${SSH_KEY}, and only its public half`],
  [/^---- BEGIN SSH2 /, `${SSH_KEY}, and only its public half`],
  [/^\{[\s\S]*"kty"\s*:/, 'a key in JSON (JWK), not PEM', FROM_JWK],
  [/^\{[\s\S]*"ciphertext"\s*:/, 'an encrypted key in JSON (JWE), not PEM', FROM_JWK],
  [/^[{[]\s*["{[\]}]/, 'JSON, not PEM', 'take the PEM out of it, without quotes and with real line breaks'],
  [/^(?:---\s|[\w."'-]+:(?:\s|$))/, 'YAML, not PEM', 'take the PEM out of it, without what stands around it'],
];

/** "-----BEGIN C" in base64, and the same with E, P and R, by which labels of private keys begin. */
const ENCODED: Readonly<Record<Want, string>> = { certificate: 'LS0tLS1CRUdJTiBD', key: 'LS0tLS1CRUdJTiB[FQS]' };
const ENCODED_BEGIN: Readonly<Record<Want, RegExp>> = {
  certificate: new RegExp(ENCODED.certificate),
  key: new RegExp(ENCODED.key),
};

// A manifest of a Secret, a kubeconfig, the output of kubectl get: PEM in base64 among other text.
function encodedPem(text: string, want: Want): Finding | undefined {
  if (!ENCODED_BEGIN[want].test(text)) return undefined;
  const command = `grep -o '${ENCODED[want]}[A-Za-z0-9+/=]*' ca.txt | head -n 1 | base64 -d > ${outputOf(want)}`;
  return mendedBy('text around base64 of PEM, such as a manifest', 'take the PEM out of it', 'ca.txt', command);
}

const URL_ENCODED = /-----BEGIN(?:%20|\+)[A-Z0-9%+]{1,80}-----(?:%0D)?%0A/i;
const URL_DECODE = `perl -0777 -pe 's/\\+/ /g if /-BEGIN\\+/; s/%([0-9A-Fa-f]{2})/chr(hex($1))/ge'`;
/** U+2013 and U+2014 in UTF-8 and in Windows-1252. */
const LONG_DASHES = /(?:\xe2\x80[\x93\x94]|[\x96\x97])-{0,4} ?BEGIN [A-Z0-9 ]{1,64}/;
const SHORT_DASHES = `perl -pe 's/^.*?((BEGIN|END) [A-Z0-9 ]*[A-Z0-9]).*/-----$1-----/'`;
