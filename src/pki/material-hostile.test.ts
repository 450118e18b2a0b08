import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATES } from '../../test/pki/pasted/certificates.ts';
import { KEYS } from '../../test/pki/pasted/keys.ts';
import { Workshop } from '../../test/pki/pasted/workshop.ts';
import { cpuMs } from '../../test/unit/cpu.ts';
import { type CertificateBlock, MaterialError, readCertificateBlocks, readKey } from './material.ts';
import { toPem } from './pem.ts';

const PLACE = 'Secret shop/ca, key tls.key';
const MEBIBYTE = 1 << 20;
const block = toPem('CERTIFICATE', Buffer.from('content'));

/** The message; undefined where it was read. Fails for any other Error. */
function refusalOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    assert.instance(error, MaterialError, String(error));
    return (error as MaterialError).message;
  }
}

const UNITS = [
  '-----BEGIN A-----\n',
  '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n',
  '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n',
  '-----BEGIN EC PARAMETERS-----\n-----END EC PARAMETERS-----\n',
  '-----END A-----\n',
  '-----BEGIN ',
  '-----END ',
  '----BEGIN A',
  '-',
  '\n',
  '\r',
  ' ',
  ' \n',
  '\\',
  '\\n',
  'A',
  'A\n',
  'A ',
  'a:',
  'a: ',
  '30',
  '30 ',
  '0',
  '\0',
  '-\0',
  '\u00ef\u00bb\u00bf',
  '\u00e2\u0080\u0093-',
  '\u0096-',
  'LS0tLS1CRUdJTiBD',
  'LS0tLS1CRUdJTiB',
  'Proc-Type:',
  'Proc-Type: ENCRYPTED\n',
  '-----BEGIN%20',
  '{"kty"',
  '"',
  '{',
  '${',
  '@.',
  'a.',
  '\u0030\u0080',
  '\u0030\u0084\u00ff\u00ff\u00ff\u00ff',
  '\u0030\u0000',
  block,
];

test('no mebibyte takes long or is refused with anything but a MaterialError', () => {
  const starts = ['', '-----BEGIN CERTIFICATE-----\n', '-----BEGIN PRIVATE KEY-----\nA: ', block, '\u2013', 'a'];
  for (const unit of UNITS) {
    for (const start of starts) {
      const text = `${start}${unit.repeat(MEBIBYTE / unit.length)}`;
      const bytes = Buffer.from(text, 'latin1').subarray(0, MEBIBYTE);
      const ms = cpuMs(() => refusalOf(() => readCertificateBlocks(bytes, PLACE, { maxBytes: MEBIBYTE })));
      assert.ok(ms < 50, `${JSON.stringify(start)} and ${JSON.stringify(unit)}: ${ms} ms`);
    }
  }
});

test('no key of the largest size takes long', () => {
  for (const unit of UNITS) {
    const bytes = Buffer.from(unit.repeat(100_000 / unit.length), 'latin1');
    const ms = cpuMs(() => refusalOf(() => readKey(bytes, PLACE)));
    assert.ok(ms < 20, `${JSON.stringify(unit)}: ${ms} ms`);
  }
});

test('blocks are decoded only where there are not too many of them', () => {
  const text = Buffer.from(`${block}not base64 follows\n${block.replace('Y29u', '****')}`);
  assert.match(refusalOf(() => readCertificateBlocks(text, PLACE, { most: 1 })) ?? '', /2 certificates, and at most 1/);
  assert.match(refusalOf(() => readCertificateBlocks(text, PLACE, { most: 2 })) ?? '', /block 2: .* not base64/);
  const blocks: readonly CertificateBlock[] = readCertificateBlocks(Buffer.from(`${block}${block}`), PLACE, {
    most: 2,
  });
  assert.equal(
    blocks.map(({ number, der }) => [number, der.toString()]),
    [
      [1, 'content'],
      [2, 'content'],
    ],
  );
});

test('numbers of blocks count all blocks, and a label is quoted as long as it is short and printable', () => {
  const parameters = toPem('DH PARAMETERS', Buffer.from('x'));
  const read = readCertificateBlocks(Buffer.from(`${parameters}text\n${block}${parameters}${block}`), PLACE);
  assert.equal(
    read.map(({ number }) => number),
    [2, 4],
  );
  const damaged = 'PRIVAmqjk70mwvWXeGPu54 PRIVATE KEY';
  const told = refusalOf(() => readCertificateBlocks(Buffer.from(toPem(damaged, Buffer.from('x'))), PLACE));
  assert.match(told ?? '', /this is a private key/);
  assert.match(refusalOf(() => readKey(Buffer.from(`-----BEGIN ${damaged}-----\n`), PLACE)) ?? '', /unusual label/);
  for (const label of ['A'.repeat(65), 'A\u001b[31m', 'A\u00fc', '']) {
    const text = `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`;
    const message = refusalOf(() => readCertificateBlocks(Buffer.from(text), PLACE)) ?? '';
    assert.match(message, /five dashes/);
    for (const part of ['A\u001b', 'AAAA', '\u00fc']) assert.not.ok(message.includes(part));
  }
});

/** A generator of whole numbers below `below`, the same for each run (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function mutated(original: Buffer, pick: (below: number) => number): Buffer {
  let bytes = Buffer.from(original);
  for (let change = pick(4); change >= 0; change -= 1) {
    const at = pick(bytes.length + 1);
    const length = pick(40);
    switch (pick(5)) {
      case 0:
        if (at < bytes.length) bytes[at] = pick(256);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(pick(bytes.length + 1))]);
        break;
      case 3:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from('\\\n\r-:= \0\ufeff'[pick(9)] ?? ''),
          bytes.subarray(at),
        ]);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)]);
    }
  }
  return bytes;
}

test('damaged files of every kind are read or refused, and no message quotes them', () => {
  using workshop = new Workshop();
  const seed = Number(process.env.SEED ?? 20_260_601);
  const pick = random(seed);
  // keytool needs a second for each.
  const kinds = [...CERTIFICATES, ...KEYS].filter(({ make }) => !/keytool|ssh-keygen|dhparam/.test(make));
  const originals = kinds.map(({ make }) => workshop.run(make)).filter(({ length }) => length < 20_000);
  for (let run = 0; run < 4_000; run += 1) {
    const bytes = mutated(originals[pick(originals.length)] ?? Buffer.alloc(0), pick);
    const messages = [refusalOf(() => readKey(bytes, PLACE)), refusalOf(() => readCertificateBlocks(bytes, PLACE))];
    const told = messages.join('\n').replaceAll(PLACE, '');
    for (const word of bytes.toString('latin1').match(/[A-Za-z0-9+/]{20,}/g) ?? []) {
      for (let at = 0; at + 20 <= word.length; at += 1) {
        assert.not.ok(told.includes(word.slice(at, at + 20)), `seed ${seed}, run ${run}: ${told}`);
      }
    }
  }
});

test.run();
