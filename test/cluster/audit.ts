import { createReadStream, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface AuditEvent {
  readonly auditID: string;
  /** A watch shows up twice: ResponseStarted when it opens, ResponseComplete when it ends. */
  readonly stage: 'ResponseStarted' | 'ResponseComplete' | 'Panic';
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string; readonly groups?: readonly string[] };
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly apiVersion?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number; readonly reason?: string; readonly message?: string };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
}

export function writeAuditPolicy(path: string): void {
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [{ level: 'Metadata' }],
  };
  writeFileSync(path, JSON.stringify(policy));
}

/** From a byte on, line by line, since the log of a load test outgrows the longest string that Node can hold. */
export async function readAuditEvents(path: string, start = 0): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  for await (const line of createInterface({
    input: createReadStream(path, { start }),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    const event = parseLine(line);
    if (event !== undefined) {
      events.push(event);
    }
  }
  return events;
}

function parseLine(line: string): AuditEvent | undefined {
  try {
    return JSON.parse(line) as AuditEvent;
  } catch {
    // The API server is writing this line at the moment, or was killed while it did.
    return undefined;
  }
}
