/** Audit logs in files, as the controller writes them. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditLog, type AuditMetrics } from '../../src/audit/audit-log.ts';
import type { Checkpoint } from '../../src/audit/checkpoint.ts';
import type { AuditEvent } from '../../src/audit/event.ts';
import { linesOf } from '../../src/audit/files.ts';
import { openSink, type Sink } from '../../src/audit/sink.ts';
import { type Verdict, Verifier, type VerifyOptions } from '../../src/audit/verify.ts';
import { NOW } from './builders.ts';
import { FakeClock } from './fake-clock.ts';

/** A folder that is removed at the end of the test file. */
export function auditFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-audit-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export class CountedAudit implements AuditMetrics {
  lines = 0;
  failures = 0;
  lostLines = 0;
  readonly messages: string[] = [];

  written(): void {
    this.lines += 1;
  }

  failed(): void {
    this.failures += 1;
  }

  lost(): void {
    this.lostLines += 1;
  }
}

export function auditLog(path: string | Sink, clock = new FakeClock(NOW), counted = new CountedAudit()): AuditLog {
  const say = (message: string) => void counted.messages.push(message);
  const log = { error: say, info: say };
  return new AuditLog({ sink: typeof path === 'string' ? openSink(path) : path, clock, log, metrics: counted });
}

/** The nth line of a log. */
export function anEvent(n: number): AuditEvent {
  return {
    event: n % 3 === 0 ? 'published' : 'signed',
    authority: 'CertificateAuthority/shop/ca',
    namespace: 'shop',
    name: `client-${n}`,
    serial: n.toString(16).padStart(8, '0'),
    names: { commonName: `ünï ${n}`, dnsNames: [`${n}.example.com`] },
  };
}

/** Writes segments of that many events each, and answers the checkpoints after them. */
export async function writeSegments(path: string, events: readonly number[]): Promise<Checkpoint[]> {
  const checkpoints: Checkpoint[] = [];
  for (const count of events) {
    const audit = auditLog(path);
    for (let n = 0; n < count; n++) audit.write(anEvent(n));
    audit.start();
    await audit.close();
    if (audit.written !== undefined) checkpoints.push({ ...audit.written, time: NOW.toISOString() });
  }
  return checkpoints;
}

export async function verified(files: readonly string[], options: VerifyOptions = {}): Promise<Verdict> {
  const verifier = new Verifier(options);
  for (const file of files) for await (const line of linesOf(file)) verifier.add(line);
  return verifier.end();
}

/** The messages of one severity, without their places. */
export function messagesOf({ findings }: Verdict, severity: 'fault' | 'note'): string[] {
  return findings.filter((each) => each.severity === severity).map(({ message }) => message);
}

export function textLines(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}
