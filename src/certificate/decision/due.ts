import type { Observed } from '../observed.ts';
import type { CertificateFacts } from '../secret/facts.ts';
import { type Schedule, schedule } from './schedule.ts';

/** The schedule of the certificate that the Secret holds, by what the Secret remembers of its issue. */
export function scheduleOf(
  { resource, secret }: Pick<Observed, 'resource' | 'secret'>,
  held: CertificateFacts,
  now: Date,
): Schedule {
  return schedule(held, { ...resource.spec, uid: resource.uid }, { issuedAt: secret?.memory.issuedAt, now });
}
