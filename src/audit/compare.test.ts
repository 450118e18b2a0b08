import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { auditFolder, auditLog } from '../../test/unit/audited-files.ts';
import { runAudit } from './command.ts';
import type { AuditEvent } from './event.ts';

const folder = auditFolder();
const path = join(folder, 'audit.log');
const AUTHORITY = 'CertificateAuthority/shop/ca';
const OWNER = { authority: AUTHORITY, namespace: 'shop', name: 'web', uid: 'u-1' };
const PIN = `${'a'.repeat(43)}=`;
const notAfter = new Date('2026-01-02T00:00:00Z');

const EVENTS: readonly AuditEvent[] = [
  { event: 'requested', ...OWNER, keyPin: PIN },
  { event: 'signed', ...OWNER, serial: '0a01', notAfter },
  { event: 'published', ...OWNER, serial: '0a01', notAfter, revision: 1, reason: 'FirstIssue' },
  { event: 'signed', ...OWNER, serial: '0a02', notAfter },
  { event: 'signed', ...OWNER, signedBy: 'CertificateAuthority/shop/reserve', serial: '0a03', notAfter },
  { event: 'adopted', ...OWNER, serial: '0a04' },
];
const audit = auditLog(path);
for (const each of EVENTS) audit.write(each);
await audit.close();

let lists = 0;

async function compare(list: string, ...flags: readonly string[]): Promise<{ code: number; printed: string[] }> {
  const file = join(folder, `${++lists}.txt`);
  writeFileSync(file, list);
  const printed: string[] = [];
  const args = ['compare', '--log', path, '--serials', file, '--authority', AUTHORITY, ...flags];
  const code = await runAudit(args, (line) => printed.push(line));
  return { code, printed };
}

test('serial numbers are read as hex, with colons and as decimal numbers, and what is published or adopted is no difference', async () => {
  const { code, printed } = await compare('# of the CA\n0A:01 # the first\n\n0d2562\nserial=0A04\n');
  assert.is(code, 0);
  const of = 'ClientCertificate shop/web, uid u-1, at ';
  assert.is(printed.length, 2);
  assert.match(printed[0] ?? '', `never published: 0a02: signed for ${of}`);
  assert.is(
    printed[1],
    '3 at the CA: 2 published, 1 never published, 0 with a lost answer, 0 not in the log; 0 in the log and not at the CA',
  );
});

test('a certificate whose answer was lost is found by the pin of its key', async () => {
  const { code, printed } = await compare(`0a01\n0a02\nbeef ${PIN}\n0f0f ${'b'.repeat(43)}=\n`);
  assert.is(code, 0);
  assert.match(
    printed.join('\n'),
    /^answer lost: beef: requested for ClientCertificate shop\/web, uid u-1, at 20\S+Z$/m,
  );
  assert.match(printed.join('\n'), /^not in the log: 0f0f$/m);
  assert.match(printed.at(-1) ?? '', '1 with a lost answer, 1 not in the log; 0 in the log and not at the CA');
});

test('without key pins no request is matched, and the command says so', async () => {
  const { printed } = await compare('0a01\n0a02\nbeef\n');
  assert.match(printed.join('\n'), /^not in the log: beef$/m);
  assert.match(printed.join('\n'), /^no request was matched: that needs the key pin/m);
});

test('what the log has and the CA has not is a fault, unless it has ended', async () => {
  const { code, printed } = await compare('0a02\n');
  assert.is(code, 1);
  assert.match(printed.join('\n'), /^not at the CA: 0a01: signed for ClientCertificate shop\/web, uid u-1, at /m);
  assert.match(printed.at(-1) ?? '', '; 1 in the log and not at the CA');
  assert.is((await compare('0a02\n', '--ends-after', '2026-01-02T00:00:00Z')).code, 0);
  assert.is((await compare('0a02\n', '--ends-after', '2026-01-01T23:59:59Z')).code, 1);
});

test('what a fallback has signed is at the CA of the fallback', async () => {
  const reserve = ['--authority', 'CertificateAuthority/shop/reserve'];
  assert.is((await compare('0a01\n0a02\n', ...reserve)).code, 1);
  assert.is((await compare('0a01\n0a02\n0a03\n', ...reserve)).code, 0);
});

test('a line that was altered is left out and counted', async () => {
  const forged = join(folder, 'forged.log');
  writeFileSync(forged, readFileSync(path, 'utf8').replace('"serial":"0a01"', '"serial":"0bad"'));
  const file = join(folder, 'forged.txt');
  writeFileSync(file, '0a01\n0a02\n0a03\n0a04\n');
  const printed: string[] = [];
  assert.is(await runAudit(['compare', '--log', forged, '--serials', file], (line) => printed.push(line)), 0);
  assert.match(printed.join('\n'), 'lines that were altered and are left out: 1; see certwheel audit verify');
});

for (const [args, message] of [
  [['--serials', join(folder, 'nowhere.txt')], /--serials \S+nowhere\.txt: ENOENT/],
  [[], /give the serial numbers that the CA says it issued with --serials FILE/],
  [['--serials', path], /--serials \S+audit\.log, line 1: .* is no serial number; write hex such as/],
  [['--serials', path, '--ends-after', 'soon'], /--ends-after soon is no time; write it as 2026-/],
] as const)
  test(`audit compare ${args.join(' ').replaceAll(folder, 'FOLDER')} is refused with a reason`, async () => {
    const error = await runAudit(['compare', '--log', path, ...args], () => {}).catch((thrown: Error) => thrown);
    assert.match(String((error as Error).message), message);
  });

test.run();
