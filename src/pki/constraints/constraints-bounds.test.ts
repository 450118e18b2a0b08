import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CaContent, makePath } from '../../../test/pki/constrained.ts';

import { nameConstraints } from '../../../test/pki/write-extensions.ts';
import { cpuMs } from '../../../test/unit/cpu.ts';
import { oid, sequence, set, tlv } from '../asn1/write.ts';
import type { CertificateView } from '../certificate.ts';
import { encodeName } from '../name.ts';
import { NO_NAMES } from '../san.ts';
import { compileConstraints, constraintsProblem, pathConstraintsProblem } from './constraints.ts';

const MOST_MS = 50;

function subtrees(prefix: string, suffix: string): CaContent {
  return {
    extensions: [
      nameConstraints({ permitted: Array.from({ length: 1000 }, (_, index) => `${prefix}h${index}.${suffix}`) }),
    ],
  };
}

test('the worst names below the worst subtrees take no longer than other keys can wait', () => {
  const label = `${'a'.repeat(60)}.`;
  const ten = Array.from({ length: 10 }, (_, index) => index);
  const dnsNames = ten.map((each) => `n${each}.${label.repeat(3)}example`);
  const uris = ten.map((each) => `spiffe://n${each}.${label.repeat(3)}example/${'x/'.repeat(900)}`);
  const names = { ...NO_NAMES, uris, dnsNames: [] };
  const wide = { ...NO_NAMES, dnsNames };
  for (const [prefix, given] of [
    ['DNS:', wide],
    ['URI:', names],
  ] as const) {
    const between: CaContent = { names: given };
    const path = makePath({ names: given }, between, between, subtrees(prefix, 'example'), subtrees(prefix, 'example'));
    const [leaf, ...issuers] = path;
    assert.ok(leaf);
    assert.ok(cpuMs(() => pathConstraintsProblem(issuers)) < MOST_MS);
    const constraints = compileConstraints(issuers);
    assert.ok(cpuMs(() => constraintsProblem(constraints, leaf)) < MOST_MS);
  }
});

test('a thousand subtrees compile in the time that other keys can wait', () => {
  const [, ...issuers] = makePath(
    {},
    subtrees('DNS:', 'example'),
    subtrees('email:', 'example'),
    subtrees('URI:', 'example'),
  );
  assert.ok(cpuMs(() => compileConstraints(issuers)) < MOST_MS);
});

test('two CAs of a thousand subtrees are merged in the time that other keys can wait', () => {
  for (const form of ['DNS:', 'URI:', 'email:']) {
    const [, ...issuers] = makePath({}, subtrees(form, 'example'), subtrees(form, 'example'), {});
    assert.ok(cpuMs(() => compileConstraints(issuers)) < MOST_MS);
    assert.match(pathConstraintsProblem(issuers) ?? '', /need more than \d+ comparisons/);
  }
});

function mailed(tag: number, mail: string): Buffer {
  const attribute = sequence(oid('1.2.840.113549.1.9.1'), tlv(tag, Buffer.from(mail)));
  return sequence(encodeName({ commonName: 'the client' }).subarray(2), set(attribute));
}

test('a mail address in the subject counts, and one that is no IA5String is refused as by OpenSSL', () => {
  const [leaf, ...issuers] = makePath({}, { extensions: [nameConstraints({ permitted: ['email:zoo.example'] })] }, {});
  const ask = (subjectDer: Buffer) =>
    constraintsProblem(compileConstraints(issuers), { ...(leaf as CertificateView), subjectDer });
  assert.is(ask(mailed(0x16, 'a@zoo.example')), undefined);
  assert.equal(ask(mailed(0x16, 'a@ark.example')), {
    field: 'subject',
    problem:
      'subject holds "a@ark.example", which is outside the subtrees that the CA CN=CA_0 permits: email:zoo.example',
  });
  assert.match(ask(mailed(0x0c, 'a@zoo.example'))?.problem ?? '', /emailAddress is not an IA5String/);
});

test("a subject that can't be read is refused, without an exception", () => {
  const [leaf, ...issuers] = makePath({}, { extensions: [nameConstraints({ permitted: ['email:zoo.example'] })] }, {});
  const broken = { ...(leaf as CertificateView), subjectDer: Buffer.from('3003310130', 'hex') };
  assert.is(constraintsProblem(compileConstraints(issuers), broken)?.field, 'subject');
});

test.run();
