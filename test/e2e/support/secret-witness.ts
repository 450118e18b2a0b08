import { X509Certificate } from 'node:crypto';
import type { ClientCertificateStatus } from '../../../src/api/generated/types.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { eventually } from './eventually.ts';
import { issuedAt, writtenAt } from './moments.ts';
import { faultOf } from './secret-proof.ts';
import { type Sighting, type Witness, witness } from './witness.ts';
import type { World } from './world.ts';

/** A ClientCertificate as it is stored. */
export type StoredCertificate = RawObject & { readonly status?: ClientCertificateStatus };

/** An independent eye on the Secrets of a namespace. */
export function watchSecrets(world: World, namespace: string): Promise<Witness> {
  return witness(world, `/api/v1/namespaces/${namespace}/secrets`);
}

/** And one on its ClientCertificates, for what their status has said. */
export function watchCertificates(world: World, namespace: string): Promise<Witness<StoredCertificate>> {
  return witness(world, `/apis/certwheel.io/v1alpha1/namespaces/${namespace}/clientcertificates`);
}

/**
 * What is wrong with the history of a Secret, in sentences; empty where it kept every promise: at each version a matching
 * key and a chain to ca.crt, never an older certificate after a newer one, never gone, and never expired before the next.
 */
export function faultsOfHistory(versions: readonly Sighting[], end = new Date()): string[] {
  return versions.flatMap((version, index) => {
    const where = `version ${version.object.metadata?.resourceVersion}`;
    if (version.type === 'DELETED') return [`${where}: the Secret is gone`];
    const fault = faultOf(version.object);
    if (fault !== undefined) return [`${where}: ${fault}`];
    const leaf = leafOf(version.object);
    // It was all that a workload had until the next one came.
    const next = versions[index + 1];
    const until = next === undefined ? end : broughtAt(next.object);
    const expired = leaf.validToDate < until ? [`${where}: expired at ${leaf.validTo}, still there at ${until}`] : [];
    const early =
      leaf.validFromDate > broughtAt(version.object) ? [`${where}: not valid before ${leaf.validFrom}`] : [];
    const before = versions[index - 1]?.object;
    return [...expired, ...early, ...(before === undefined ? [] : stepsBack(before, version.object))];
  });
}

/** The certificates that a Secret has held, each at the version that brought it. */
export function issuances(versions: readonly Sighting[]): readonly Sighting[] {
  return versions.filter(
    ({ object, type }, index) =>
      type !== 'DELETED' && serialOf(object) !== (versions[index - 1] && serialOf(versions[index - 1]?.object)),
  );
}

/** Waits until the witness has seen the Secret with that revision; it hears a moment later than who asks. */
export function untilSeen(secrets: Witness, name: string, revision: number, withinMs?: number): Promise<true> {
  const seen = () => secrets.versions(name).some(({ object }) => revisionOf(object) >= revision);
  return eventually(`the witness has seen revision ${revision} of ${name}`, () => seen() || undefined, withinMs);
}

export function revisionOf(object: RawObject | undefined): number {
  return Number(object?.metadata?.annotations?.['certwheel.io/revision']);
}

export function serialOf(object: RawObject | undefined): string | undefined {
  return object?.data?.['tls.crt'] === undefined ? undefined : leafOf(object).serialNumber.toLowerCase();
}

export function leafOf(object: RawObject | undefined): X509Certificate {
  return new X509Certificate(Buffer.from(object?.data?.['tls.crt'] ?? '', 'base64'));
}

/** No later than the write of that version. */
function broughtAt(object: RawObject): Date {
  return new Date(Math.max(writtenAt(object).getTime(), issuedAt(object).getTime() || 0));
}

function stepsBack(before: RawObject, after: RawObject): string[] {
  const where = `version ${after.metadata?.resourceVersion}`;
  const revisions = revisionOf(after) - revisionOf(before);
  const isNew = serialOf(after) !== serialOf(before);
  return [
    ...(revisions === (isNew ? 1 : 0) ? [] : [`${where}: revision ${revisionOf(after)} after ${revisionOf(before)}`]),
    ...(leafOf(after).validFromDate >= leafOf(before).validFromDate
      ? []
      : [`${where}: a certificate that is older than the one before`]),
  ];
}
