import { membersOf } from '../../backends/http/json-members.ts';
import { type CertificateView, parseCertificates } from '../../pki/certificate.ts';
import { nameOf } from '../../pki/path.ts';
import type { Trouble } from '../../trouble.ts';

/** A CA certificate that an account has, and the hostnames of the zone that ask for certificates of it. */
export interface Upload {
  readonly id: string;
  readonly name: string;
  /** SHA-256 in hex. */
  readonly fingerprint: string;
  readonly uploadedOn: Date | undefined;
  readonly hostnames: readonly string[];
}

/** What a target is to hold, on behalf of the authority with that uid. */
export interface Wanted {
  readonly account: string;
  readonly uid: string;
  readonly anchors: ReadonlyMap<string, CertificateView>;
  readonly hostnames: readonly string[];
  readonly maxCertificates: number;
  /** What other authorities want of the same account, such as one whose fallback this authority is. */
  readonly others?: readonly OtherWish[];
}

export interface OtherWish {
  /** By fingerprint; undefined where it isn't known yet, so that it may be any. */
  readonly anchors: ReadonlyMap<string, unknown> | undefined;
  readonly hostnames: readonly string[];
}

/** In this order. Nothing is uploaded where there isn't room for all. */
export interface Plan {
  /** Their hostnames first. */
  readonly remove: readonly Upload[];
  readonly upload: readonly CertificateView[];
  readonly associate: readonly { readonly upload: Upload; readonly hostnames: readonly string[] }[];
  /** What can't be done, whatever else is. */
  readonly trouble: Trouble | undefined;
}

const ID = /^[-0-9A-Za-z]{1,64}$/;
/** Half of a fingerprint: nobody finds a second certificate for it. */
const DIGITS = 32;

/** Undefined for what holds no CA certificate that can be read: it counts towards the quota all the same. */
export function readUpload(value: unknown): Omit<Upload, 'hostnames'> | undefined {
  const { id, name, certificates, ca, uploaded_on } = membersOf(value);
  if (typeof id !== 'string' || !ID.test(id) || ca !== true || typeof certificates !== 'string') return undefined;
  const uploadedOn = typeof uploaded_on === 'string' ? new Date(uploaded_on) : undefined;
  try {
    const [certificate] = parseCertificates(certificates, { most: 10 });
    if (certificate === undefined) return undefined;
    return {
      id,
      name: typeof name === 'string' ? name : '',
      fingerprint: certificate.fingerprintSHA256,
      uploadedOn: uploadedOn !== undefined && Number.isFinite(uploadedOn.getTime()) ? uploadedOn : undefined,
    };
  } catch {
    return undefined;
  }
}

/** The name under which an authority uploads a certificate: the mark that it is this authority's. */
export function uploadName(uid: string, fingerprint: string): string {
  return `certwheel-${uid}-${fingerprint.slice(0, DIGITS)}`;
}

export function isOwn({ name, fingerprint }: Pick<Upload, 'name' | 'fingerprint'>, uid: string): boolean {
  return name === uploadName(uid, fingerprint);
}

function wishesFor({ fingerprint }: Upload, { others = [] }: Pick<Wanted, 'others'>): readonly OtherWish[] {
  return others.filter(({ anchors }) => anchors === undefined || anchors.has(fingerprint));
}

/** Its own upload of what only others need now. */
function isLent(each: Upload, wanted: CountedBy): boolean {
  const { anchors, uid } = wanted;
  return isOwn(each, uid) && !anchors.has(each.fingerprint) && wishesFor(each, wanted).length > 0;
}

/** The hostnames of an upload that others ask for. */
function askedByOthers(each: Upload, wanted: CountedBy): readonly string[] {
  const wishes = wishesFor(each, wanted);
  return each.hostnames.filter((name) => wishes.some(({ hostnames }) => hostnames.includes(name)));
}

type CountedBy = Pick<Wanted, 'uid' | 'anchors' | 'hostnames' | 'others'>;

/** The uploads that count for a target, each with those of its hostnames that do. */
export function countedUploads(found: readonly Upload[], wanted: CountedBy): readonly Upload[] {
  const { uid, anchors, hostnames } = wanted;
  return found.flatMap((each) => {
    if (!isOwn(each, uid) && !anchors.has(each.fingerprint)) return [];
    const ofOthers = isOwn(each, uid) ? askedByOthers(each, wanted) : each.hostnames;
    const isLentOnly = isLent(each, wanted) && each.hostnames.every((name) => ofOthers.includes(name));
    const counted = each.hostnames.filter((name) => hostnames.includes(name) || !ofOthers.includes(name));
    return isLentOnly ? [] : [{ ...each, hostnames: counted }];
  });
}

/**
 * What is to be done so that an account holds the wanted certificates. Of another's upload of the same certificate nothing
 * is removed but the hostnames that this target had added; `total` counts all certificates of the account.
 */
export function planOf(found: readonly Upload[], total: number, wanted: Wanted): Plan {
  const { anchors, uid, hostnames } = wanted;
  const unfit = [...anchors.values()].filter((each) => !isTaken(each));
  const trouble = unfit[0] && unfitTrouble(unfit[0]);
  const kept = new Map<string, Upload>();
  for (const each of [...found].sort((one, other) => (one.id < other.id ? -1 : 1)))
    if (anchors.has(each.fingerprint) && !kept.has(each.fingerprint)) kept.set(each.fingerprint, each);
  const lent = found.filter((each) => isLent(each, wanted));
  const remove = found.filter(
    (each) => isOwn(each, uid) && kept.get(each.fingerprint) !== each && !lent.includes(each),
  );
  const upload = [...anchors.values()].filter((each) => isTaken(each) && !kept.has(each.fingerprintSHA256));
  const left = total - remove.length;
  const isFull = upload.length > 0 && left + upload.length > wanted.maxCertificates;
  const associate = [...kept.values(), ...lent].flatMap((each) => {
    const present = isOwn(each, uid) ? askedByOthers(each, wanted) : each.hostnames;
    const asked = lent.includes(each) ? present : [...new Set([...present, ...hostnames])];
    return isSame(each.hostnames, asked) ? [] : [{ upload: each, hostnames: asked }];
  });
  if (isFull) return { remove, upload: [], associate, trouble: fullTrouble(left, upload, wanted) };
  return { remove, upload, associate, trouble };
}

/** The signature algorithms that Cloudflare takes are those of RSA (PKCS #1 v1.5) and ECDSA. */
function isTaken({ keySpec }: CertificateView): boolean {
  return keySpec?.algorithm === 'RSA' || keySpec?.algorithm === 'ECDSA';
}

function unfitTrouble(certificate: CertificateView): Trouble {
  const message = `Cloudflare takes CA certificates with keys of RSA and ECDSA alone, and ${nameOf(certificate)} has one of ${certificate.keySpec?.algorithm ?? 'another kind'}; set privateKey.algorithm of the authority, or take the target away`;
  return { code: 'TrustTargetRefused', message };
}

function fullTrouble(left: number, upload: readonly CertificateView[], { account, maxCertificates }: Wanted): Trouble {
  const message = `account ${account} has ${left} of ${maxCertificates} CA certificates, and ${upload.length} more are to be uploaded; delete those that nothing uses, or have Cloudflare raise the quota and set maxCertificates`;
  return { code: 'TrustTargetRefused', message };
}

export function isSame(one: readonly string[], other: readonly string[]): boolean {
  return [...new Set(one)].sort().join() === [...new Set(other)].sort().join();
}
