import { hash } from 'node:crypto';
import { authorityKey } from '../api/certificate-authority.ts';
import type { AuthorityKind } from '../api/client-certificate.ts';
import * as names from '../api/names.ts';
import { identify, type RawObject } from '../api/parse.ts';
import { shared } from '../api/shared.ts';
import type { ObjectKind, TargetKind } from '../api/trust-targets.ts';
import { hashOfBundle } from '../pki/bundle.ts';
import { CERTIFICATE_LABEL } from '../pki/certificate.ts';
import { parsePem } from '../pki/pem.ts';
import { RecentlyUsed } from '../recently-used.ts';
import { KINDS } from './kinds.ts';
import { storesId } from './stores.ts';

/** No object has more (1 MiB). */
export const MOST_BYTES = 1_048_576;

/** A user of its namespace may have written the annotation. */
const MOST_STORES = 4;
const LONGEST_SINCE = 131_072;

/** What is kept of an object that a trust bundle is written into. */
export interface TargetView {
  readonly kind: TargetKind;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** The authority that its labels name, as authorityKey; empty without labels. */
  readonly authority: string;
  /** See markOf. */
  readonly mark: string;
  /** The authority that a person hands it over to, by name. */
  readonly adoptBy: string | undefined;
  /** Of the PEM that it holds, as that of a TrustBundle. */
  readonly hash: string;
  /** SHA-256 of each certificate in it; none where it is no PEM. */
  readonly held: readonly string[];
  /** See readTrustedSince. */
  readonly since: string;
  /** Of its trust stores, see storesId. */
  readonly stores: string;
  readonly isBeingDeleted: boolean;
}

/** Makes views of one kind. Equal bundles are read once: thousands of objects hold the same. */
export function targetViewer(kind: ObjectKind): (object: RawObject) => TargetView {
  const known = new RecentlyUsed<readonly string[]>({ most: 1_000, mostWeight: 4_000_000 });
  const fingerprints = (pem: string, id: string) => {
    const before = known.get(id);
    if (before !== undefined) return before;
    const found = fingerprintsIn(pem);
    known.set(id, found, 100 + 80 * found.length);
    return found;
  };
  return (object) => {
    const { labels = {}, annotations = {}, creationTimestamp = '', deletionTimestamp } = object.metadata ?? {};
    const pem = KINDS[kind].read(object) ?? '';
    const id = shared(hashOfBundle(pem));
    const { namespace, name, uid, resourceVersion } = identify(object);
    return {
      kind,
      namespace: shared(namespace),
      name: shared(name),
      uid,
      resourceVersion,
      createdAt: creationTimestamp,
      authority: shared(authorityOf(labels, namespace)),
      mark: annotations[names.TRUST_MARK_ANNOTATION] ?? '',
      adoptBy: annotations[names.ADOPT_ANNOTATION],
      hash: id,
      held: fingerprints(pem, id),
      since: sinceOf(annotations[names.TRUSTED_SINCE_ANNOTATION]),
      stores: storesOf(annotations[names.TRUST_STORES_ANNOTATION], (file) => KINDS[kind].readFile(object, file)),
      isBeingDeleted: deletionTimestamp !== undefined,
    };
  };
}

/** Of what an object has room for; what is longer another party wrote. */
function sinceOf(text = ''): string {
  return text.length > LONGEST_SINCE ? '' : shared(text);
}

/** Those that Certwheel has written, as they are now; files of others of such a name are none of them. */
function storesOf(written: string | undefined, contentOf: (name: string) => string | undefined): string {
  return written === undefined ? '' : shared(storesId(written.split(',').slice(0, MOST_STORES), contentOf));
}

function authorityOf(labels: Readonly<Record<string, string>>, namespace: string): string {
  const name = labels[names.TRUST_TARGET_LABEL];
  const kind = labels[names.AUTHORITY_KIND_LABEL];
  if (name === undefined || !isAuthorityKind(kind)) return '';
  return authorityKey({ kind, namespace, name });
}

function isAuthorityKind(kind: string | undefined): kind is AuthorityKind {
  return kind === 'CertificateAuthority' || kind === 'ClusterCertificateAuthority';
}

function fingerprintsIn(pem: string): readonly string[] {
  try {
    return parsePem(pem, { strict: false, maxBytes: MOST_BYTES })
      .filter(({ label }) => label === CERTIFICATE_LABEL)
      .map(({ der }) => hash('sha256', der, 'hex'));
  } catch {
    return [];
  }
}
