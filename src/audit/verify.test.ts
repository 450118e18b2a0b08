import { appendFileSync, copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  anEvent,
  auditFolder,
  auditLog,
  messagesOf,
  textLines,
  verified,
  writeSegments,
} from '../../test/unit/audited-files.ts';
import { chained, readLine } from './line.ts';

const folder = auditFolder();
const path = join(folder, 'audit.log');
const checkpoints = await writeSegments(path, [6, 3, 5]);
const lines = textLines(path);
const altered = join(folder, 'altered.log');

async function faultsOf(changed: readonly string[], options = {}): Promise<string[]> {
  writeFileSync(altered, changed.map((line) => `${line}\n`).join(''));
  return messagesOf(await verified([altered], { checkpoints, ...options }), 'fault');
}

test('an untouched log has no fault', async () => {
  assert.is(lines.length, 14 + 2 * 3);
  const verdict = await verified([path], { checkpoints });
  assert.equal([verdict.lines, verdict.segments, verdict.findings], [20, 3, []]);
});

const at = fc.nat(lines.length - 1);
/** Each changes a log; undefined where that leaves it as it was. */
const changes = fc.oneof(
  fc.record({ do: fc.constant('edit' as const), at, byte: fc.nat(), to: fc.integer({ min: 32, max: 126 }) }),
  fc.record({ do: fc.constant('delete' as const), at, count: fc.integer({ min: 1, max: 20 }) }),
  fc.record({
    do: fc.constant('insert' as const),
    at,
    text: fc.oneof(fc.constantFrom(...lines), fc.constant('{}'), fc.constant('')),
  }),
  fc.record({ do: fc.constant('swap' as const), at, other: at }),
  fc.record({ do: fc.constant('truncate' as const), at, bytes: fc.nat() }),
  fc.record({ do: fc.constant('forge' as const), at }),
);

function changed(change: typeof changes extends fc.Arbitrary<infer T> ? T : never): string | undefined {
  const copy = [...lines];
  const line = copy[change.at] ?? '';
  let text: string | undefined;
  if (change.do === 'edit') {
    const place = change.byte % line.length;
    copy[change.at] = line.slice(0, place) + String.fromCharCode(change.to) + line.slice(place + 1);
  } else if (change.do === 'delete') copy.splice(change.at, change.count);
  else if (change.do === 'insert') copy.splice(change.at, 0, change.text);
  else if (change.do === 'swap') [copy[change.at], copy[change.other]] = [copy[change.other] ?? '', line];
  else if (change.do === 'truncate') {
    const whole = `${lines.join('\n')}\n`;
    text = whole.slice(0, 1 + (change.bytes % (whole.length - 1)));
  } else copy[change.at] = rehashed(line);
  const result = text ?? copy.map((each) => `${each}\n`).join('');
  return result === `${lines.join('\n')}\n` ? undefined : result;
}

/** A line with another time and the hash that it has then, as one who knows the format would forge it. */
function rehashed(text: string): string {
  const read = readLine(text);
  if (read === undefined) throw new Error('no line');
  const { seq, segment, prev, event } = read;
  return chained({ event: event as 'signed' }, { time: new Date(0), seq, segment, prev }).line;
}

test('any edit, deletion, insertion, exchange, truncation or forgery of a line is found', async () => {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  const found = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(changes, async (change) => {
      const text = changed(change);
      fc.pre(text !== undefined);
      writeFileSync(altered, text ?? '');
      const verdict = await verified([altered], { checkpoints });
      assert.not.equal(messagesOf(verdict, 'fault'), [], `${JSON.stringify(change)} is not found`);
      found.set(change.do, (found.get(change.do) ?? 0) + 1);
    }),
    { seed, numRuns: 600 },
  );
  console.log(`seed ${seed}: ${[...found].map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
  assert.is(found.size, 6);
});

test('faults are named for what they are', async () => {
  const without = (from: number, count = 1) => lines.filter((_, index) => index < from || index >= from + count);
  const [first, second, third] = checkpoints.map(({ segment }) => segment);
  assert.match((await faultsOf(without(2)))[0] ?? '', `missing: lines 2 to 2 of segment ${first}`);
  assert.match((await faultsOf(without(0)))[0] ?? '', `missing: lines 0 to 0 of segment ${first}`);
  assert.match((await faultsOf(without(8, 5))).join('\n'), /missing: the line with the hash [0-9a-f]{64}, after which/);
  assert.match((await faultsOf(without(8, 5))).join('\n'), `missing: segment ${second}, of which`);
  assert.match((await faultsOf(without(18, 2))).join('\n'), `truncated: segment ${third} ends with line 4`);
  const edited = lines.with(3, (lines[3] ?? '').replace('client-', 'client_'));
  assert.equal(await faultsOf(edited), ["edited: its content doesn't have the hash that it states"]);
  const swapped = lines.with(3, lines[4] ?? '').with(4, lines[3] ?? '');
  assert.match((await faultsOf(swapped)).join('\n'), /out of order or repeated: line 3/);
  assert.match((await faultsOf(lines.with(3, rehashed(lines[3] ?? '')))).join('\n'), /one of them was replaced/);
  assert.match((await faultsOf(lines.with(19, rehashed(lines[19] ?? '')))).join('\n'), /replaced: the checkpoint/);
});

test('without a checkpoint a missing tail is not a fault, and a note says so', async () => {
  const verdict = await verified([path]);
  assert.equal(messagesOf(verdict, 'fault'), []);
  assert.equal(messagesOf(verdict, 'note'), [
    'no checkpoint was given: lines that are missing at the end can not be seen',
  ]);
});

test('older files may be gone where that is said', async () => {
  assert.is((await faultsOf(lines.slice(10))).length > 0, true);
  assert.is((await faultsOf(lines.slice(10), { isPartial: true, checkpoints: checkpoints.slice(1) })).length, 0);
  // But nothing behind the first line.
  const gap = [...lines.slice(10, 15), ...lines.slice(16)];
  assert.is((await faultsOf(gap, { isPartial: true, checkpoints: checkpoints.slice(1) })).length > 0, true);
});

test('lines of other programs are faults unless the log is mixed', async () => {
  const mixed = [...lines.slice(0, 4), '{"level":"info"}', '', ...lines.slice(4)];
  assert.equal(await faultsOf(mixed), ['this is no line of the audit log', 'this is no line of the audit log']);
  assert.equal(await faultsOf(mixed, { isMixed: true }), []);
  const cut = mixed.with(7, (mixed[7] ?? '').slice(0, -20));
  assert.match((await faultsOf(cut, { isMixed: true }))[0] ?? '', /looks like an audit line/);
});

test('a log is read from several files, compressed ones and those of a container runtime too', async () => {
  const [old, middle, newest] = ['a.log.gz', 'b.log', 'c.log'].map((name) => join(folder, name));
  const join_ = (some: readonly string[]) => some.map((line) => `${line}\n`).join('');
  writeFileSync(old ?? '', gzipSync(join_(lines.slice(0, 7))));
  // Container runtimes cut long lines.
  const cri = (line: string) => [`P ${line.slice(0, 30)}`, `F ${line.slice(30)}`];
  const parts = lines.slice(7, 12).flatMap(cri);
  writeFileSync(middle ?? '', join_(parts.map((line) => `2026-01-01T00:00:00.1Z stdout ${line}`)));
  writeFileSync(newest ?? '', join_(lines.slice(12)));
  const verdict = await verified([old ?? '', middle ?? '', newest ?? ''], { checkpoints });
  assert.equal([verdict.lines, verdict.findings], [20, []]);
});

test('a line that a killed process has not ended is a note once the next process says so', async () => {
  const killed = join(folder, 'killed.log');
  copyFileSync(path, killed);
  appendFileSync(killed, (lines[3] ?? '').slice(0, 60));
  assert.match(messagesOf(await verified([killed]), 'note')[0] ?? '', /ends within a line/);
  const next = auditLog(killed);
  next.write(anEvent(1));
  await next.close();
  const verdict = await verified([killed], { checkpoints });
  assert.equal(messagesOf(verdict, 'fault'), []);
  assert.match(messagesOf(verdict, 'note')[0] ?? '', /was not ended, since its process was killed/);
  // One who cuts off a line later can't use that.
  const text = readFileSync(killed, 'utf8');
  const end = text.lastIndexOf(`\n${(lines[3] ?? '').slice(0, 60)}`) + 30;
  const forged = text.slice(0, end) + text.slice(end + 1);
  writeFileSync(killed, forged);
  assert.equal(messagesOf(await verified([killed]), 'fault'), ['this is no line of the audit log']);
});

test('a whole segment that a forger adds is noted', async () => {
  const added = join(folder, 'added.log');
  copyFileSync(path, added);
  const forger = auditLog(added);
  forger.write(anEvent(1));
  await forger.close();
  const verdict = await verified([added], { checkpoints });
  assert.equal(messagesOf(verdict, 'fault'), []);
  assert.match(
    messagesOf(verdict, 'note').join(),
    /the checkpoint doesn't know segment [0-9a-f]{16}: .*somebody added/,
  );
});

test('faults are counted though there are thousands of them', async () => {
  const junk = Array.from({ length: 3_000 }, () => 'junk');
  writeFileSync(altered, [...lines, ...junk].map((line) => `${line}\n`).join(''));
  const verdict = await verified([altered], { checkpoints });
  assert.equal([verdict.faults, verdict.findings.length], [3_000, 1_000]);
});

test('two processes that write one file are told apart', async () => {
  const shared = join(folder, 'shared.log');
  const [one, other] = [auditLog(shared), auditLog(shared)];
  for (let n = 0; n < 5; n++) for (const each of [one, other]) each.write(anEvent(n));
  await Promise.all([one.close(), other.close()]);
  const verdict = await verified([shared]);
  assert.equal([verdict.segments, verdict.lines, messagesOf(verdict, 'fault')], [2, 14, []]);
  const without = textLines(shared).filter((_, index) => index !== 5);
  writeFileSync(shared, `${without.join('\n')}\n`);
  assert.is(messagesOf(await verified([shared]), 'fault').length, 1);
});

test('a file that is renamed is followed, and no line is lost', async () => {
  const rotated = join(folder, 'rotated.log');
  const audit = auditLog(rotated);
  for (let n = 0; n < 6; n++) {
    audit.write(anEvent(n));
    if (n === 2) renameSync(rotated, `${rotated}.1`);
  }
  await audit.close();
  assert.is(textLines(`${rotated}.1`).length, 4);
  const verdict = await verified([`${rotated}.1`, rotated]);
  assert.equal([verdict.lines, messagesOf(verdict, 'fault')], [8, []]);
});

test.run();
