import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { auditFolder, auditLog, textLines } from '../../test/unit/audited-files.ts';
import { runAudit } from './command.ts';
import { type AuditEvent, revocationEvent } from './event.ts';

const folder = auditFolder();
const path = join(folder, 'audit.log');
const OWNER = { authority: 'CertificateAuthority/shop/ca', namespace: 'shop', name: 'client', uid: 'u-1' };
const [ONE, OTHER] = ['1'.repeat(64), '2'.repeat(64)];
const moments = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2026-01-02T00:00:00Z') };

const EVENTS: readonly AuditEvent[] = [
  {
    event: 'signed',
    ...{ ...OWNER, ...moments, serial: '0a1b', issuer: ONE, requestedBy: 'jane', rule: 'web', keyPin: 'pin' },
    names: { commonName: 'client\u001b[31m', dnsNames: ['a.example.com', 'b.example.com'] },
  },
  { event: 'published', ...OWNER, ...moments, serial: '0a1b', issuer: ONE, revision: 1, reason: 'FirstIssue' },
  { event: 'signed', ...OWNER, ...moments, name: 'other', serial: '0a1b', issuer: OTHER },
  { event: 'probeSigned', authority: OWNER.authority, ...moments, serial: '0c', issuer: ONE, verifier: 'nginx' },
  revocationEvent('asked', { authority: OWNER.authority, serial: '0a1b', issuer: ONE }, 'keyCompromise', 'annotation'),
  revocationEvent('done', { authority: OWNER.authority, serial: '0a1b', issuer: ONE }, 'keyCompromise'),
];
const audit = auditLog(path);
for (const each of EVENTS) audit.write(each);
await audit.close();

async function run(...args: string[]): Promise<{ code: number; printed: string }> {
  const lines: string[] = [];
  const code = await runAudit(args, (line) => lines.push(line));
  return { code, printed: lines.join('\n') };
}

test('a serial number leads to its owner, its names, and what became of it', async () => {
  const { code, printed } = await run('who', '0A:1B', '--log', path);
  assert.is(code, 0);
  const [first = '', second = ''] = printed.split('\n\n');
  for (const part of [
    `issuer (SHA-256):   ${ONE}`,
    'held by:            ClientCertificate shop/client, uid u-1',
    'requested by:       jane',
    'rule:               web',
    'dnsNames a.example.com, b.example.com',
    'valid:              2026-01-01T00:00:00.000Z to 2026-01-02T00:00:00.000Z',
    'FirstIssue, revision 1',
    'revocation asked:',
    'keyCompromise, annotation',
  ])
    assert.ok(first.includes(part), `${part} is not in\n${first}`);
  assert.not.match(first, '\u001b');
  assert.ok(second.includes('ClientCertificate shop/other'));
  assert.ok(second.includes('published:          never, as far as these files say'));
  assert.ok(second.includes('revoked:            no, as far as these files say'));
});

test('a decimal serial number is read', async () => {
  const { code, printed } = await run('who', '0d12', '--log', path);
  assert.is(code, 0);
  assert.ok(printed.includes('Certwheel itself, to probe the verifier nginx'));
});

test('a public key leads to its requests, also where the answer was lost', async () => {
  const asked = join(folder, 'asked.log');
  const keyPin = `${'k'.repeat(43)}=`;
  const writer = auditLog(asked);
  writer.write({ event: 'requested', ...OWNER, keyPin });
  writer.write({ event: 'requested', ...OWNER, name: 'other', keyPin: `${'x'.repeat(43)}=` });
  await writer.close();
  const { code, printed } = await run('who', keyPin, '--log', asked);
  assert.is(code, 0);
  assert.match(printed, /^\S+ requested: ClientCertificate shop\/client, uid u-1, at \S+, no serial number yet$/);
  assert.is((await run('who', `${'y'.repeat(43)}=`, '--log', asked)).code, 1);
});

test('the past is in former files', async () => {
  const former = join(folder, 'moved.log');
  const writer = auditLog(former);
  writer.write({ event: 'signed', ...OWNER, serial: 'ee' });
  renameSync(former, `${former}.1`);
  writer.write({ event: 'signed', ...OWNER, serial: 'ff' });
  await writer.close();
  assert.is((await run('who', 'ee', '--log', former)).code, 1);
  assert.is((await run('who', 'ee', '--log', former, `${former}.1`)).code, 0);
  assert.is((await run('verify', '--log', former, `${former}.1`)).code, 0);
});

test('the lines themselves are printed as JSON', async () => {
  const { printed } = await run('who', '0a1b', '--json', '--log', path);
  assert.equal(
    printed.split('\n'),
    textLines(path).filter((line) => line.includes('"serial":"0a1b"')),
  );
});

test('an unknown serial number has the exit code 1', async () => {
  const { code, printed } = await run('who', 'dead', '--log', path);
  assert.equal([code, printed], [1, 'no line of these files is about serial dead']);
});

test('a line that was altered is not believed', async () => {
  const forged = join(folder, 'forged.log');
  writeFileSync(forged, textLines(path).join('\n').replaceAll('"name":"client"', '"name":"victim"'));
  appendFileSync(forged, '\n');
  const { printed } = await run('who', '0a1b', '--log', forged);
  assert.not.match(printed, 'victim');
  assert.match(printed, '2 lines about it were altered');
  assert.is((await run('verify', '--log', forged)).code, 1);
});

test('verify compares with a checkpoint in a file', async () => {
  const map = join(folder, 'map.json');
  const { segment = '', seq = 0, hash } = audit.written ?? {};
  const data = (seen: number) => ({ [segment]: JSON.stringify({ seq: seen, hash, time: '2026-01-01T00:00:00Z' }) });
  writeFileSync(map, JSON.stringify({ data: data(seq) }));
  assert.is((await run('verify', '--log', path, '--checkpoint', map)).code, 0);
  writeFileSync(map, JSON.stringify({ data: data(seq + 1) }));
  const { code, printed } = await run('verify', '--log', path, '--checkpoint', map);
  assert.is(code, 1);
  assert.match(printed, 'truncated');
});

for (const [args, message] of [
  [['verify'], /give the files of the audit log with --log/],
  [['verify', '--log', '/nowhere/audit.log'], /the audit log can't be read: ENOENT/],
  [['verify', '--log', path, '--checkpoint', path], /is no object in JSON/],
  [['verify', '--log', path, '--wrong'], /Unknown option '--wrong'; see certwheel audit --help/],
  [['who', '--log', path], /needs a serial number/],
  [['who', 'x', '--log', path], /x is no serial number/],
  [['what'], /audit what is unknown/],
] as const)
  test(`audit ${args.join(' ').replace(path, 'FILE')} is refused with a reason`, async () => {
    const error = await runAudit(args, () => {}).catch((thrown: Error) => thrown);
    assert.match(String((error as Error).message), message);
  });

test('help is printed', async () => {
  const { code, printed } = await run('--help');
  assert.is(code, 0);
  assert.match(printed, 'certwheel audit verify --log FILE');
});

test.run();
