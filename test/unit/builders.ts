import { canonicalIdentity } from '../../src/api/canonical-identity.ts';
import { type ClientCertificate, isBroken, parseClientCertificate } from '../../src/api/client-certificate.ts';
import { toRfc3339 } from '../../src/api/conditions.ts';
import type { ClientCertificateStatus } from '../../src/api/generated/types.ts';
import { RENEW_AT_ANNOTATION } from '../../src/api/names.ts';
import type { RawObject } from '../../src/api/parse.ts';
import { OWN_CA_CAPABILITIES } from '../../src/backends/shared/own-ca.ts';
import {
  type AuthorityView,
  authorityName,
  type NoAuthority,
  type SigningView,
} from '../../src/certificate/authority-view.ts';
import { requestOf } from '../../src/certificate/client-request.ts';
import { Observed, type Readings } from '../../src/certificate/observed.ts';
import type { SecretMemory } from '../../src/certificate/secret/annotations.ts';
import { brief, briefly } from '../../src/certificate/secret/brief.ts';
import type { CertificateFacts } from '../../src/certificate/secret/facts.ts';
import { templateKeys } from '../../src/certificate/secret/manifest.ts';
import { outputsDigest } from '../../src/certificate/secret/outputs.ts';
import { secretType } from '../../src/certificate/secret/secret-type.ts';
import type { SecretView } from '../../src/certificate/secret/view.ts';
import { ALLOWED, type Permission } from '../../src/policy/permission.ts';
import type { Run } from '../../src/queue/controller.ts';

export const NOW = new Date('2026-06-01T12:00:00Z');
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** How long workloads may take to load a Secret, as the controller assumes by default. */
export const PROPAGATION_MS = 2 * MINUTE;

/** A run that is not aborted, with a free worker. */
export const RUN: Run = { signal: new AbortController().signal, releaseWorker: (wait) => wait() };

export function after(ms: number, from = NOW): Date {
  return new Date(from.getTime() + ms);
}

/** A ClientCertificate as the API server would hand it out: `aCertificate({ duration: '1h' }).suspended().build()`. */
export function aCertificate(spec: object = {}): CertificateBuilder {
  return new CertificateBuilder({
    metadata: { namespace: 'team', name: 'client', uid: 'uid-1', resourceVersion: '7', generation: 1 },
    spec: { authorityRef: { name: 'ca' }, secretName: 'client-tls', commonName: 'client', ...spec },
  });
}

class CertificateBuilder {
  readonly raw: RawObject;

  constructor(raw: RawObject) {
    this.raw = raw;
  }

  with(metadata: NonNullable<RawObject['metadata']>): CertificateBuilder {
    return new CertificateBuilder({ ...this.raw, metadata: { ...this.raw.metadata, ...metadata } });
  }

  asking(spec: object): CertificateBuilder {
    return new CertificateBuilder({ ...this.raw, spec: { ...(this.raw.spec as object), ...spec } });
  }

  suspended(): CertificateBuilder {
    return this.asking({ suspend: true });
  }

  renewAt(moment: Date): CertificateBuilder {
    return this.with({ annotations: { [RENEW_AT_ANNOTATION]: moment.toISOString() } });
  }

  withStatus(status: ClientCertificateStatus): CertificateBuilder {
    return new CertificateBuilder({ ...this.raw, status: { ...(this.raw.status as object | undefined), ...status } });
  }

  /** A failure at NOW and a next attempt a minute later, by default. */
  failed({ at = NOW, nextAt = after(MINUTE), reason = 'InvalidAnswer', attempts = 1, observedGeneration = 1 } = {}) {
    return this.withStatus({
      observedGeneration,
      lastFailure: { time: at.toISOString(), reason, message: 'it went wrong', attempts },
      nextAttemptTime: nextAt.toISOString(),
    });
  }

  build(): ClientCertificate {
    const parsed = parseClientCertificate(structuredClone(this.raw));
    if (isBroken(parsed)) throw new Error(parsed.problem);
    return parsed;
  }
}

export type AuthorityFields = Partial<Omit<AuthorityView, 'limits'>> & { limits?: Partial<AuthorityView['limits']> };

/** An authority that is ready. Its only CA signs since ten days ago. */
export function anAuthority({ limits, ...fields }: AuthorityFields = {}): AuthorityView {
  return {
    type: 'secret',
    capabilities: OWN_CA_CAPABILITIES,
    limits: {
      maxDurationMs: undefined,
      keyAlgorithms: undefined,
      usages: undefined,
      allowSystemIdentities: false,
      ...limits,
    },
    origin: 'origin 1',
    trouble: undefined,
    trust: { pem: 'bundle 1', hash: 'hash 1', anchors: new Map([['ca 1', {} as never]]) },
    generations: new Map([['ca 1', { version: 1, signs: true }]]),
    released: new Set(),
    intermediates: [],
    usableAnchors: undefined,
    leaving: undefined,
    isStatedWithAnswers: false,
    issuers: [],
    constraints: undefined,
    signing: aSigning({ since: after(-10 * DAY) }),
    ...fields,
  };
}

interface SecretFields extends Partial<Omit<SecretView, 'memory' | 'certificate'>> {
  certificate?: Partial<CertificateFacts> | undefined;
  memory?: Partial<SecretMemory>;
}

/** The first generation of `anAuthority()`. */
export function aSigning(fields: Partial<SigningView> = {}): SigningView {
  const notAfter = after(365 * DAY);
  return {
    version: 1,
    since: NOW,
    notAfter,
    fingerprintSHA256: 'ca 1',
    issuersId: 'issuers 1',
    isSlow: false,
    ...fields,
  };
}

/** The Secret of `resource` as it is after an issue by `anAuthority()` at NOW; its certificate is facts, not bytes. */
export function aSecret(resource: ClientCertificate, fields: SecretFields = {}): SecretView {
  const { certificate, memory, ...rest } = fields;
  const { spec } = resource;
  const facts = 'certificate' in fields && certificate === undefined ? undefined : someFacts(resource, certificate);
  return {
    namespace: resource.namespace,
    name: spec.secretName,
    uid: 'uid-of-secret',
    resourceVersion: '11',
    type: secretType(spec),
    owner: { certificateName: resource.name, certificateUid: resource.uid },
    adoptBy: undefined,
    ownerReferences: spec.deletionPolicy === 'Delete' ? [resource.uid] : [],
    isProven: true,
    certificate: facts,
    problem: undefined,
    claimedValidity: facts,
    claimedSerialNumber: facts?.serialNumber,
    trustBundleHash: 'hash 1',
    areFilesWhole: true,
    files: '',
    isImmutable: false,
    areTrustStoresCurrent: true,
    labels: briefly(spec.secretLabels),
    annotations: briefly(spec.secretAnnotations),
    weight: 0,
    memory: {
      revision: 1,
      authority: authorityName(resource),
      authorityGeneration: 1,
      requestedDurationMs: spec.durationMs,
      issuedAt: NOW,
      ledger: `0a=${toRfc3339(after(spec.durationMs))}`,
      templateKeys: brief(templateKeys(resource)),
      outputs: outputsDigest(spec),
      ...memory,
    },
    ...rest,
  };
}

function someFacts({ spec }: ClientCertificate, facts: Partial<CertificateFacts> = {}): CertificateFacts {
  return {
    serialNumber: '0a',
    fingerprintSHA256: 'f1',
    publicKeyPinSHA256: requestOf(spec)?.publicKeyPin ?? 'pin',
    notBefore: after(-Math.min(MINUTE, spec.durationMs / 10)),
    notAfter: after(spec.durationMs),
    identity: canonicalIdentity(spec.identity),
    key: spec.key,
    keyEncoding: spec.csr === undefined ? spec.keyEncoding : undefined,
    issuerFingerprint: 'ca 1',
    issuerKeyId: 'key 1',
    anchorFingerprints: ['ca 1'],
    issuersId: 'issuers 1',
    ...facts,
  };
}

/** What a reconcile sees: `anObserved(aCertificate()).withSecret().build()`. */
export function anObserved(certificate: CertificateBuilder | ClientCertificate = aCertificate()): ObservedBuilder {
  const resource = certificate instanceof CertificateBuilder ? certificate.build() : certificate;
  return new ObservedBuilder({
    resource,
    authority: anAuthority(),
    permission: ALLOWED,
    secret: undefined,
    rival: undefined,
  });
}

class ObservedBuilder {
  readonly #seen: Readings;

  constructor(seen: Readings) {
    this.#seen = seen;
  }

  withSecret(secret: SecretFields | SecretView = {}): ObservedBuilder {
    return new ObservedBuilder({ ...this.#seen, secret: aSecret(this.#seen.resource, secret as SecretFields) });
  }

  /** A Secret with nothing of ours on it. */
  withForeignSecret(secret: SecretFields = {}): ObservedBuilder {
    const memory = {
      revision: 0,
      authority: undefined,
      issuedAt: undefined,
      ledger: '',
      templateKeys: '',
      outputs: '',
    };
    return this.withSecret({
      owner: undefined,
      ownerReferences: [],
      ...secret,
      memory: { ...memory, requestedDurationMs: undefined, authorityGeneration: undefined, ...secret.memory },
    });
  }

  from(authority: AuthorityFields | NoAuthority): ObservedBuilder {
    return new ObservedBuilder({
      ...this.#seen,
      authority: typeof authority === 'string' ? authority : anAuthority(authority),
    });
  }

  permitted(permission: Permission): ObservedBuilder {
    return new ObservedBuilder({ ...this.#seen, permission });
  }

  inTroubleWith(code: NonNullable<AuthorityView['trouble']>['code'] = 'CAExpired'): ObservedBuilder {
    return this.from({ trouble: { code, message: 'no CA is left' } });
  }

  behind(rival: string): ObservedBuilder {
    return new ObservedBuilder({ ...this.#seen, rival });
  }

  protectedAs(reason: string, code: NonNullable<Observed['protection']>['code'] = 'SecretNotOwned'): ObservedBuilder {
    return new ObservedBuilder({ ...this.#seen, protection: { code, reason } });
  }

  build(): Observed {
    return new Observed(this.#seen);
  }
}
