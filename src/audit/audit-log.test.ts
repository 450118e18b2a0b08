import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  anEvent,
  auditFolder,
  auditLog,
  CountedAudit,
  messagesOf,
  textLines,
  verified,
} from '../../test/unit/audited-files.ts';
import { NOW } from '../../test/unit/builders.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { encodePrivateKey, generateKey } from '../pki/keys.ts';
import { readLine } from './line.ts';
import { openSink, type Sink } from './sink.ts';

const folder = auditFolder();

test('sed and sha256sum confirm the hash of each line', async () => {
  const path = join(folder, 'oracle.log');
  const audit = auditLog(path);
  for (let n = 0; n < 5; n++) audit.write(anEvent(n));
  await audit.close();
  for (const line of textLines(path)) {
    const command = `printf '%s' "$LINE" | sed 's/,"hash":"[0-9a-f]*"}$/}/' | tr -d '\\n' | sha256sum`;
    const digest = execFileSync('sh', ['-c', command], { env: { ...process.env, LINE: line }, encoding: 'utf8' });
    assert.is(digest.slice(0, 64), readLine(line)?.hash);
  }
});

test('each line has the hash of the line before it, and its fields in one order', async () => {
  const path = join(folder, 'order.log');
  const audit = auditLog(path);
  audit.write(anEvent(1));
  audit.write(anEvent(2));
  await audit.close();
  const read = textLines(path).map(readLine);
  assert.equal(
    read.map((each) => each?.event),
    ['start', 'signed', 'signed', 'stop'],
  );
  assert.equal(
    read.map((each) => each?.seq),
    [0, 1, 2, 3],
  );
  assert.equal(
    read.slice(1).map((each) => each?.prev),
    read.slice(0, -1).map((each) => each?.hash),
  );
  const order = [
    'time',
    'seq',
    'segment',
    'event',
    'authority',
    'namespace',
    'name',
    'serial',
    'names',
    'prev',
    'hash',
  ];
  assert.equal(Object.keys(read[1]?.fields ?? {}), order);
});

test('the next process continues the chain of the file', async () => {
  const path = join(folder, 'next.log');
  for (const n of [1, 2]) {
    const audit = auditLog(path);
    audit.write(anEvent(n));
    await audit.close();
  }
  const [, , stop, start] = textLines(path).map(readLine);
  assert.equal([stop?.event, start?.event], ['stop', 'start']);
  assert.is(start?.prev, stop?.hash);
  assert.is.not(start?.segment, stop?.segment);
});

test('a process that is killed at any moment leaves a log that is intact', async () => {
  const path = join(folder, 'killed.log');
  for (let round = 0; round < 3; round++) {
    const child = spawn(process.execPath, [`${import.meta.dirname}/../../test/unit/write-audit-lines.ts`, path]);
    const exited = once(child, 'exit');
    try {
      await once(child.stdout, 'data');
      await delay(50 + 50 * round);
    } finally {
      child.kill('SIGKILL');
    }
    await exited;
  }
  const verdict = await verified([path]);
  assert.equal(messagesOf(verdict, 'fault'), []);
  assert.is(verdict.segments, 3);
  assert.is(messagesOf(verdict, 'note').filter((each) => each.includes('was killed')).length, 3);
  assert.ok(verdict.lines > 100, `${verdict.lines} lines`);
});

/** A disk that takes so many bytes more, and then is full. */
class SmallDisk implements Sink {
  readonly #sink: Sink;
  room = Number.POSITIVE_INFINITY;
  isFull = false;

  constructor(path: string) {
    this.#sink = openSink(path);
  }

  write(line: Buffer): void {
    if (this.isFull) throw new Error('ENOSPC: no space left on device, write');
    this.#sink.write(line);
  }

  sync(): Promise<void> {
    return this.#sink.sync();
  }

  tail() {
    return this.#sink.tail();
  }

  close(): void {
    this.#sink.close();
  }
}

test('lines wait while the disk is full, and are written once it has room', async () => {
  const path = join(folder, 'full.log');
  const clock = new FakeClock(NOW);
  const [disk, counted] = [new SmallDisk(path), new CountedAudit()];
  const audit = auditLog(disk, clock, counted);
  audit.write(anEvent(1));
  disk.isFull = true;
  for (let n = 2; n < 5; n++) audit.write(anEvent(n));
  assert.is(textLines(path).length, 2);
  assert.is(audit.written?.seq, 1);
  assert.equal([counted.lines, counted.failures, counted.lostLines], [2, 3, 0]);
  disk.isFull = false;
  await clock.advance(1_000);
  // The disk is asked before, and that takes real time.
  for (let tries = 0; audit.written?.seq !== 4 && tries < 500; tries++) await delay(10);
  assert.is(audit.written?.seq, 4);
  await audit.close();
  assert.equal(messagesOf(await verified([path]), 'fault'), []);
  // One message when it begins, and one when it is over.
  assert.is(counted.messages.length, 2);
});

test('what waits is bounded, and the next line says how many lines were lost', async () => {
  const path = join(folder, 'lost.log');
  const [disk, counted] = [new SmallDisk(path), new CountedAudit()];
  const audit = auditLog(disk, new FakeClock(NOW), counted);
  audit.start();
  disk.isFull = true;
  for (let n = 0; counted.lostLines < 7; n++) audit.write({ ...anEvent(n), detail: 'x'.repeat(8_000) });
  disk.isFull = false;
  audit.write(anEvent(1));
  audit.write(anEvent(2));
  await audit.close();
  const verdict = await verified([path]);
  assert.equal(messagesOf(verdict, 'fault'), []);
  // The write that made room was itself one too many.
  assert.match(messagesOf(verdict, 'note')[0] ?? '', /^8 lines before it were lost/);
});

test('a device that is full loses no certificate: nothing is thrown', async () => {
  const counted = new CountedAudit();
  const audit = auditLog('/dev/full', new FakeClock(NOW), counted);
  for (let n = 0; n < 3; n++) audit.write(anEvent(n));
  await audit.close();
  assert.is(counted.lines, 0);
  assert.ok(counted.failures >= 3);
  assert.match(counted.messages[0] ?? '', /could not be written/);
});

test('a line after the end goes nowhere, since the file may be that of another by then', async () => {
  const path = join(folder, 'ended.log');
  const counted = new CountedAudit();
  const audit = auditLog(path, new FakeClock(NOW), counted);
  audit.write(anEvent(1));
  const closed = audit.close();
  audit.write(anEvent(2));
  await closed;
  audit.write(anEvent(3));
  assert.is(counted.lostLines, 2);
  assert.equal(
    textLines(path).map((line) => readLine(line)?.event),
    ['start', 'signed', 'stop'],
  );
});

test('a file whose end is not readable is said to begin anew', async () => {
  const path = join(folder, 'junk.log');
  writeFileSync(path, 'no audit log\nnor this');
  const audit = auditLog(path);
  audit.start();
  await audit.close();
  const start = readLine(textLines(path)[2] ?? '');
  assert.equal([start?.event, start?.prev, start?.torn?.bytes], ['start', '', 8]);
});

test('a private key never reaches the log, whatever holds it', async () => {
  const path = join(folder, 'key.log');
  const pem = encodePrivateKey(await generateKey({ algorithm: 'ECDSA', size: 256 }), 'PKCS8');
  const audit = auditLog(path);
  audit.write({ event: 'denied', detail: `the server said: ${pem}`, names: { commonName: pem, organizations: [pem] } });
  await audit.close();
  const text = textLines(path).join('\n');
  assert.not.match(text, 'PRIVATE KEY');
  assert.not.match(text, pem.split('\n')[1] ?? pem);
  assert.match(text, '[private key]');
  assert.equal(messagesOf(await verified([path]), 'fault'), []);
});

test('others than the owner and the group can not read the file', async () => {
  const path = join(folder, 'mode.log');
  await auditLog(path).close();
  assert.is(statSync(path).mode & 0o007, 0);
});

test('a folder that is not there ends the start, and the message names the flag', () => {
  assert.throws(() => openSink(join(folder, 'missing', 'audit.log')), /^--audit-log .*missing.* can't be opened/);
});

test.run();
