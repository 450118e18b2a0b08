import { toRfc3339 } from '../../src/api/conditions.ts';
import type { AuthorityView } from '../../src/certificate/authority-view.ts';
import type { Consumer } from '../../src/rotation/deps.ts';
import { aCertificate, after, anAuthority, aSecret, aSigning, DAY, NOW } from './builders.ts';

/** Two CA generations, of which the second signs since NOW. */
export const ROTATED: AuthorityView = anAuthority({
  generations: new Map([
    ['ca 1', { version: 1, signs: false }],
    ['ca 2', { version: 2, signs: true }],
  ]),
  signing: aSigning({ version: 2, since: NOW, notAfter: after(365 * DAY), fingerprintSHA256: 'ca 2' }),
});

/** The same after a roll-back: the first signs since then, and the second never again. */
export function rolledBack(since: Date): AuthorityView {
  return {
    ...ROTATED,
    generations: new Map([
      ['ca 1', { version: 1, signs: true }],
      ['ca 2', { version: 2, signs: false }],
    ]),
    signing: aSigning({ version: 1, since, notAfter: after(365 * DAY), fingerprintSHA256: 'ca 1' }),
  };
}

export interface FleetMember {
  readonly name: string;
  readonly notAfter: Date;
  /** Whether its Secret can't be written. */
  isRefused: boolean;
  issuer: string;
  failedAt: Date | undefined;
  issues: number;
}

/** A ClientCertificate with its Secret; by default it holds a certificate of the former generation. */
export function consumer(
  name: string,
  { notAfter = after(DAY), issuer = 'ca 1', failedAt }: Partial<FleetMember> = {},
  build: (certificate: ReturnType<typeof aCertificate>) => typeof certificate = (each) => each,
): Consumer {
  const certificate = aCertificate({ secretName: `${name}-tls` }).with({ name, uid: `uid-${name}` });
  const failing = failedAt && { reason: 'Forbidden', message: 'denied', time: toRfc3339(failedAt), attempts: 1 };
  const status = { observedGeneration: 1, ...(failing && { lastFailure: failing }) };
  const resource = build(certificate.withStatus(status)).build();
  return { resource, secret: aSecret(resource, { certificate: { issuerFingerprint: issuer, notAfter } }) };
}

/** So many, each of which ends a second after the one before. Copies of one, since to parse thousands takes seconds. */
export function manyConsumers(count: number, issuer: string): Consumer[] {
  const { resource, secret } = consumer('client', { issuer });
  return Array.from({ length: count }, (_each, index) => {
    const name = `client-${String(index).padStart(5, '0')}`;
    const owner = { certificateName: name, certificateUid: name };
    const certificate = secret?.certificate && { ...secret.certificate, notAfter: after(DAY + index * 1_000) };
    return { resource: { ...resource, name, uid: name }, secret: secret && { ...secret, owner, certificate } };
  });
}

/** Certificates of the former generation, with these ends in seconds from NOW. */
export class ReissueFleet {
  readonly members: readonly FleetMember[];
  /** What signs. */
  signing = 'ca 2';
  readonly #known = new Map<FleetMember, { readonly text: string; readonly consumer: Consumer }>();

  constructor(fleet: readonly { readonly endS: number; readonly isRefused: boolean }[]) {
    this.members = fleet.map(({ endS, isRefused }, index) => ({
      name: `client-${index}`,
      notAfter: after(endS * 1_000),
      isRefused,
      issuer: 'ca 1',
      failedAt: undefined,
      issues: 0,
    }));
  }

  consumers(): Consumer[] {
    return this.members.map((each) => {
      const text = `${each.issuer} ${each.failedAt?.getTime()}`;
      const known = this.#known.get(each);
      if (known?.text === text) return known.consumer;
      const made = consumer(each.name, each);
      this.#known.set(each, { text, consumer: made });
      return made;
    });
  }

  /** Those of the former generation that have not expired, the earliest expiry first. */
  former(now: Date): FleetMember[] {
    return this.members
      .filter(({ issuer, notAfter }) => issuer !== this.signing && notAfter > now)
      .sort((one, other) => one.notAfter.getTime() - other.notAfter.getTime() || (one.name < other.name ? -1 : 1));
  }

  /** One attempt at each of these keys that is still of the former generation. */
  attempt(keys: Iterable<string>, now: Date): void {
    const wanted = new Set(keys);
    for (const each of this.former(now)) {
      if (!wanted.has(`team/${each.name}`)) continue;
      if (each.isRefused) each.failedAt = now;
      else {
        each.issuer = this.signing;
        each.failedAt = undefined;
        each.issues += 1;
      }
    }
  }

  /** The keys of those that failed since then. */
  failingSince(since: Date): string[] {
    return this.members
      .filter(({ failedAt, issuer }) => issuer !== this.signing && failedAt !== undefined && failedAt >= since)
      .map(({ name }) => `team/${name}`);
  }
}
