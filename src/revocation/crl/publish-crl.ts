import type { RawObject } from '../../api/parse.ts';
import { REASON_CODES } from '../../backends/shared/reason-codes.ts';
import { RetryableError } from '../../errors.ts';
import { fieldAltered } from '../../kube/difference.ts';
import { CREATE_ONLY } from '../../kube/object.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import { revokedEntry, signCrl } from '../../pki/crl.ts';
import { type CrlView, isCrlOf, readCrl } from '../../pki/read-crl.ts';
import type { Signer } from '../../pki/signer.ts';
import { BACKDATED_MS, nextNumber, type Revoked } from './crl-due.ts';
import { type CrlPart, type CrlPlace, crlManifests, crlMapName, joinCrl } from './crl-maps.ts';

/** Access to the ConfigMaps of the controller's namespace. Failures are ApiErrors. */
export interface CrlMaps {
  readonly namespace: string;
  /** All that carry the label of that authority. */
  list(uid: string): Promise<readonly RawObject[]>;
  get(name: string): Promise<RawObject | undefined>;
  /** Server-side apply; with a resourceVersion on that condition. */
  apply(manifest: MapManifest): Promise<RawObject>;
  /** Harmless where it is gone. */
  delete(name: string): Promise<unknown>;
}

interface MapManifest {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion?: string };
}

/** What is published of one CA generation. */
export interface PublishedCrl {
  /** Undefined where the CRL can't be read, or the CA has not signed it. */
  readonly crl: CrlView | undefined;
  /** The highest number that any part names. */
  readonly number: bigint;
  readonly parts: number;
  /** Of the first part; undefined where that is missing. */
  readonly resourceVersion: string | undefined;
}

/** What the parts of one place come to. */
export function publishedCrl(parts: readonly CrlPart[], ca: CertificateView): PublishedCrl {
  const first = parts.find(({ part }) => part === 0);
  return {
    crl: readable(joinCrl(parts), ca),
    number: parts.map(({ number }) => number).reduce(higher, 0n),
    parts: Math.max(0, ...parts.map(({ part }) => part + 1)),
    resourceVersion: first?.resourceVersion,
  };
}

/** bigint has no Math.max. */
export function higher(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function readable(der: Buffer | undefined, ca: CertificateView): CrlView | undefined {
  try {
    const crl = der && readCrl(der);
    return crl !== undefined && isCrlOf(crl, ca) ? crl : undefined;
  } catch {
    return undefined;
  }
}

interface NextCrl {
  readonly place: CrlPlace;
  readonly ca: { readonly certificate: CertificateView; readonly signer: Signer };
  readonly revoked: readonly Revoked[];
  readonly former: PublishedCrl | undefined;
  /** The highest number of a CRL by this key, also of another generation. */
  readonly formerNumber: bigint | undefined;
  readonly now: Date;
  readonly validityMs: number;
}

/**
 * Signs the next CRL and publishes it. Throws what the signer throws, an ApiError 409 where another one was published meanwhile,
 * and a RetryableError where it is stored otherwise than it was sent.
 */
export async function publishCrl(next: NextCrl, maps: CrlMaps): Promise<PublishedCrl> {
  const { place, ca, revoked, former, formerNumber, now, validityMs } = next;
  const number = nextNumber(formerNumber, now);
  const der = await signCrl({
    ca,
    number,
    thisUpdate: new Date(now.getTime() - BACKDATED_MS),
    nextUpdate: new Date(now.getTime() + validityMs),
    entries: revoked.map(({ serialNumber, revokedAt, reason }) =>
      revokedEntry({ serialNumber, revokedAt, reasonCode: REASON_CODES[reason] }),
    ),
  });
  const crl = readCrl(der);
  // No issuing distribution point: OpenSSL would refuse each certificate of the CA that was issued before spec.revocation.url.
  const content = { der, number, nextUpdate: crl.nextUpdate, caPem: ca.certificate.pem };
  const [first, ...others] = crlManifests(place, maps.namespace, content);
  if (first === undefined) throw new Error('a CRL without a part');
  // The first part decides between two writers, so it alone has a condition.
  const resourceVersion = former?.resourceVersion ?? (await versionOf(first.metadata.name, maps));
  const stored = await applied({ ...first, metadata: { ...first.metadata, resourceVersion } }, maps);
  for (const each of others) await applied(each, maps);
  const parts = 1 + others.length;
  for (let part = parts; part < (former?.parts ?? 0); part += 1) await maps.delete(crlMapName(place, part));
  return { crl, number, parts, resourceVersion: stored.metadata?.resourceVersion };
}

/** One that has lost its label is ours all the same: nothing else has such a name. */
async function versionOf(name: string, maps: CrlMaps): Promise<string> {
  return (await maps.get(name))?.metadata?.resourceVersion ?? CREATE_ONLY;
}

async function applied(manifest: MapManifest, maps: CrlMaps): Promise<RawObject> {
  const stored = await maps.apply(manifest);
  const altered = fieldAltered(manifest, stored);
  if (altered === undefined) return stored;
  const { namespace, name } = manifest.metadata;
  throw new RetryableError(
    'ObjectRefused',
    `${altered} of ConfigMap ${namespace}/${name} is stored otherwise than it was sent`,
  );
}
