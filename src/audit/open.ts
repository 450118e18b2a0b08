import type { Clock } from '../clock.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Logger } from '../log.ts';
import { RecentlyUsed } from '../recently-used.ts';
import { AuditLog, type AuditMetrics } from './audit-log.ts';
import { Checkpoints } from './checkpoints.ts';
import type { Audit, AuditEvent } from './event.ts';
import { openSink } from './sink.ts';

/** The audit log of this process, and its checkpoints. */
export interface OpenAudit extends Audit {
  /** Begins the segment of this process: once it may act. */
  start(): void;
  /** Ends it. Never rejects. */
  close(): Promise<void>;
}

export interface OpenAuditOptions {
  readonly client: Pick<KubeClient, 'get' | 'apply'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: AuditMetrics;
  readonly controllerNamespace: string;
}

/** Approvals that are known to be in the log. */
const MOST_APPROVALS = 20_000;

/** Throws StartError where the file can't be opened. */
export function openAudit(path: string, options: OpenAuditOptions): OpenAudit {
  const { client, clock, log, metrics, controllerNamespace: namespace } = options;
  const audit = new AuditLog({ sink: openSink(path), clock, log, metrics, onWritten: () => checkpoints.wake() });
  const checkpoints = new Checkpoints({
    client,
    clock,
    log,
    namespace,
    written: async () => {
      const { written } = audit;
      if (written !== undefined) await audit.sync();
      return written;
    },
  });
  const told = new RecentlyUsed<true>({ most: MOST_APPROVALS, mostWeight: MOST_APPROVALS });
  /** One approval permits many certificates, and has one line. */
  const isTold = ({ event, approval }: AuditEvent) => {
    if (event !== 'approved' || approval === undefined) return false;
    const before = told.get(approval.uid);
    told.set(approval.uid, true, 1);
    return before === true;
  };
  return {
    write: (event) => {
      if (!isTold(event)) audit.write(event);
    },
    start: () => audit.start(),
    close: async () => {
      await audit.close();
      await checkpoints.close();
    },
  };
}
