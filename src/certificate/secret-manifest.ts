import type { ClientCertificate } from '../api/client-certificate.ts';
import { toRfc3339 } from '../api/conditions.ts';
import { formatDuration } from '../api/duration.ts';
import * as names from '../api/names.ts';
import type { PastSerial, SecretMemory } from './secret-view.ts';

/** Enough for an audit to go back through a day of hourly certificates. */
const SERIALS_KEPT = 10;

/** The bytes of a Secret's three keys, in PEM. */
export interface SecretData {
  readonly certificateChain: string;
  readonly privateKey: string;
  readonly trustBundle: string;
}

export type SecretManifest = ReturnType<typeof secretManifest>;

/**
 * The whole Secret as it is applied: what isn't in here goes, so a write always carries everything. It holds only on
 * the condition that the Secret still is `current`; where there is none, version 1 makes server-side apply create it,
 * or answer 409 where something is in the way (without a version it would overwrite whatever is there).
 */
export function secretManifest(
  resource: ClientCertificate,
  data: SecretData,
  memory: Omit<SecretMemory, 'templateKeys'>,
  current: { readonly uid: string; readonly resourceVersion: string } | undefined,
) {
  const { spec } = resource;
  const precondition =
    current === undefined ? { resourceVersion: '1' } : { uid: current.uid, resourceVersion: current.resourceVersion };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace: resource.namespace,
      name: spec.secretName,
      ...precondition,
      labels: { ...spec.secretLabels, [names.CERTIFICATE_NAME_LABEL]: resource.name },
      annotations: { ...spec.secretAnnotations, ...writeMemory(resource, memory) },
      ownerReferences: spec.deletionPolicy === 'Delete' ? [ownerReference(resource)] : [],
    },
    type: 'kubernetes.io/tls',
    data: {
      'tls.crt': base64(data.certificateChain),
      'tls.key': base64(data.privateKey),
      'ca.crt': base64(data.trustBundle),
    },
  };
}

/** The keys of the template: where they differ from what a Secret remembers, something was taken out of the template. */
export function templateKeys({ spec }: Pick<ClientCertificate, 'spec'>): string {
  return [...Object.keys(spec.secretLabels), ...Object.keys(spec.secretAnnotations)].sort().join(',');
}

/** The memory after one more certificate. */
export function nextSerials(past: readonly PastSerial[], latest: PastSerial): readonly PastSerial[] {
  return [latest, ...past.filter((each) => each.serialNumber !== latest.serialNumber)].slice(0, SERIALS_KEPT);
}

function writeMemory(resource: ClientCertificate, memory: Omit<SecretMemory, 'templateKeys'>): Record<string, string> {
  const annotations: Record<string, string | undefined> = {
    [names.CERTIFICATE_UID_ANNOTATION]: resource.uid,
    [names.REVISION_ANNOTATION]: String(memory.revision),
    [names.AUTHORITY_ANNOTATION]: memory.authority,
    [names.AUTHORITY_GENERATION_ANNOTATION]:
      memory.authorityGeneration === undefined ? undefined : String(memory.authorityGeneration),
    [names.REQUESTED_DURATION_ANNOTATION]:
      memory.requestedDurationMs === undefined ? undefined : formatDuration(memory.requestedDurationMs),
    [names.ISSUED_AT_ANNOTATION]: memory.issuedAt?.toISOString(),
    [names.SERIALS_ANNOTATION]: memory.serials
      .map(({ serialNumber, notAfter }) => `${serialNumber}=${toRfc3339(notAfter)}`)
      .join(','),
    [names.TEMPLATE_KEYS_ANNOTATION]: templateKeys(resource),
    [names.EXTERNAL_ID_ANNOTATION]: memory.externalId,
  };
  return Object.fromEntries(
    Object.entries(annotations).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function ownerReference(resource: ClientCertificate) {
  return {
    apiVersion: names.apiVersion(names.CLIENT_CERTIFICATES),
    kind: names.CLIENT_CERTIFICATES.kind,
    name: resource.name,
    uid: resource.uid,
    controller: true,
    blockOwnerDeletion: false,
  };
}

function base64(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64');
}
