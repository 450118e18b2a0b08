import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_TEXTS } from '../../test/pki/pasted/certificate-texts.ts';
import { CERTIFICATES } from '../../test/pki/pasted/certificates.ts';
import { KEYS } from '../../test/pki/pasted/keys.ts';
import { isInstalled, Workshop } from '../../test/pki/pasted/workshop.ts';
import { MaterialError, readCertificateBlocks, readKey } from './material.ts';

const workshop = new Workshop();
const PLACE = 'Secret shop/ca, key tls';
const COMMAND = /.*\bwith: (.+)$/s;
const INPUT = /\b(?:ca\.(?:der|p12|p7b|jks|b64|hex|txt|jwk)|trusted\.crt|encrypted\.key|openssh\.key)\b/;
const ca = new X509Certificate(workshop.run('cat ca.crt')).raw;
const caKey = pkcs8(createPrivateKey(workshop.run('cat ca.key').toString()));

function pkcs8(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'der' }).toString('hex');
}

function read(want: 'certificate' | 'key', bytes: Buffer): MaterialError | 'accepted' {
  try {
    if (want === 'key') readKey(bytes, PLACE);
    else readCertificateBlocks(bytes, PLACE);
    return 'accepted';
  } catch (error) {
    assert.instance(error, MaterialError);
    return error as MaterialError;
  }
}

for (const { name, want, make, flaw, message, answers = '', other = false, needs = [], afterwards } of [
  ...CERTIFICATES,
  ...CERTIFICATE_TEXTS,
  ...KEYS,
]) {
  test(`${want}: ${name} ${flaw === undefined ? 'is accepted' : 'is refused'}`, () => {
    const bytes = workshop.run(make);
    if (flaw === undefined) {
      assertIsTheCa(want, bytes, other);
      return;
    }
    const refusal = read(want, bytes);
    if (refusal === 'accepted') throw new Error('it was accepted');
    assert.is(`${refusal.flaw}: ${refusal.message}`.startsWith(`${flaw}: ${PLACE}`), true, refusal.message);
    assert.ok(refusal.message.includes(message), refusal.message);
    const command = COMMAND.exec(refusal.message)?.[1];
    if (command === undefined || NOT_RUN.test(command) || !needs.every(isInstalled)) return;
    const input = INPUT.exec(command)?.[0] ?? 'ca.key';
    const output = want === 'key' ? 'ca.key' : 'ca.crt';
    const mended = workshop.mend(command, input, bytes, output, answers);
    if (afterwards === undefined) assertIsTheCa(want, mended, other);
    else assert.is((read(want, mended) as MaterialError).flaw, afterwards);
  });
}

/** These need a cluster, or make another file than what was pasted. */
const NOT_RUN = /^(?:kubectl|sops|ansible-vault|puttygen) /;

function assertIsTheCa(want: 'certificate' | 'key', bytes: Buffer, other: boolean): void {
  if (want === 'key') {
    const { key, pem } = readKey(bytes, PLACE);
    assert.is(pkcs8(key) === caKey, !other);
    assert.is(pkcs8(createPrivateKey(pem)), pkcs8(key));
    assert.match(pem, /^-----BEGIN [A-Z ]+-----\n[A-Za-z0-9+/=\n]+-----END [A-Z ]+-----\n$/);
  } else {
    const [block] = readCertificateBlocks(bytes, PLACE);
    assert.ok(block?.der.equals(ca));
  }
}

test.after(() => workshop[Symbol.dispose]());
test.run();
