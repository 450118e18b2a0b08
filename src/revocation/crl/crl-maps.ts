import { hash } from 'node:crypto';
import * as names from '../../api/books-names.ts';
import type { RawObject } from '../../api/parse.ts';

/** A CA generation whose CRL is published. */
export interface CrlPlace {
  /** Of the authority. */
  readonly uid: string;
  readonly version: number;
}

/** One ConfigMap that holds a CRL, or a part of one. */
export interface CrlPart {
  readonly place: CrlPlace;
  readonly name: string;
  readonly resourceVersion: string;
  readonly number: bigint;
  /** SHA-256 of the whole CRL, in hex. */
  readonly digest: string;
  /** From 0, of so many. */
  readonly part: number;
  readonly parts: number;
  readonly content: Buffer;
  /** PEM of the CA certificate; in the first part alone. */
  readonly ca: string | undefined;
}

/** In base64 it takes four thirds, and the API server takes no object above 1 MiB. */
const PART_BYTES = 680 * 2 ** 10;
/** No CRL comes near it: DER that is written here has 16 MiB at most. */
const MOST_PARTS = 32;
const CRL_KEY = 'crl';
const CA_KEY = 'ca.crt';

/** `certwheel-crl-<uid>-v<n>`, and with `-<part>` for further parts. */
export function crlMapName({ uid, version }: CrlPlace, part: number): string {
  return `certwheel-crl-${uid}-v${version}${part === 0 ? '' : `-${part}`}`;
}

/** The same for the same CRL of the same generation. */
export function placeKey({ uid, version }: CrlPlace): string {
  return `${uid}/v${version}`;
}

interface PublishedCrl {
  readonly der: Buffer;
  readonly number: bigint;
  readonly nextUpdate: Date;
  readonly caPem: string;
}

/** The ConfigMaps of one CRL; all of them carry its number and digest, so that no reader mixes two CRLs. */
export function crlManifests(place: CrlPlace, namespace: string, { der, number, nextUpdate, caPem }: PublishedCrl) {
  const parts = Math.max(1, Math.ceil(der.length / PART_BYTES));
  const annotations = {
    [names.CRL_GENERATION_ANNOTATION]: String(place.version),
    [names.CRL_NUMBER_ANNOTATION]: String(number),
    [names.CRL_DIGEST_ANNOTATION]: hash('sha256', der, 'hex'),
    [names.CRL_NEXT_UPDATE_ANNOTATION]: nextUpdate.toISOString(),
    [names.CRL_BYTES_ANNOTATION]: String(der.length),
  };
  return Array.from({ length: parts }, (_, part) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      namespace,
      name: crlMapName(place, part),
      labels: { [names.CRL_OF_LABEL]: place.uid },
      annotations: { ...annotations, [names.CRL_PART_ANNOTATION]: `${part}/${parts}` },
    },
    ...(part === 0 ? { data: { [CA_KEY]: caPem } } : {}),
    binaryData: { [CRL_KEY]: der.subarray(part * PART_BYTES, (part + 1) * PART_BYTES).toString('base64') },
  }));
}

/** Undefined for an object that is no part of a CRL. */
export function readCrlPart({ metadata = {}, data, binaryData }: RawObject): CrlPart | undefined {
  const { labels = {}, annotations = {}, name = '', resourceVersion = '' } = metadata;
  const uid = labels[names.CRL_OF_LABEL];
  const [, version] = /^(\d{1,9})$/.exec(annotations[names.CRL_GENERATION_ANNOTATION] ?? '') ?? [];
  const [, number] = /^(\d{1,48})$/.exec(annotations[names.CRL_NUMBER_ANNOTATION] ?? '') ?? [];
  const [, part, parts] = /^(\d{1,2})\/(\d{1,2})$/.exec(annotations[names.CRL_PART_ANNOTATION] ?? '') ?? [];
  const digest = annotations[names.CRL_DIGEST_ANNOTATION];
  const content = binaryData?.[CRL_KEY];
  if (uid === undefined || version === undefined || number === undefined || part === undefined) return undefined;
  if (digest === undefined || content === undefined || Number(parts) > MOST_PARTS) return undefined;
  const place = { uid, version: Number(version) };
  // A copy under another name would count as the same part.
  if (name !== crlMapName(place, Number(part))) return undefined;
  return {
    place,
    name,
    resourceVersion,
    number: BigInt(number),
    digest,
    part: Number(part),
    parts: Number(parts),
    content: Buffer.from(content, 'base64'),
    ca: data?.[CA_KEY],
  };
}

/** The whole CRL (DER) from the parts of one place, in any order; undefined while parts of it are missing or of another CRL. */
export function joinCrl(parts: readonly CrlPart[]): Buffer | undefined {
  const first = parts.find(({ part }) => part === 0);
  if (first === undefined) return undefined;
  const own = parts.filter(({ digest, part }) => digest === first.digest && part < first.parts);
  if (own.length !== first.parts) return undefined;
  const der = Buffer.concat(own.toSorted((one, other) => one.part - other.part).map(({ content }) => content));
  return hash('sha256', der, 'hex') === first.digest ? der : undefined;
}
