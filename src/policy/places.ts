import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type AnyCertificateAuthority, authorityKey, isBrokenAuthority } from '../api/certificate-authority.ts';
import { type BrokenClientCertificate, type ClientCertificate, isBroken } from '../api/client-certificate.ts';
import type { IssuancePolicy, IssuanceRule } from '../api/issuance-policy.ts';
import { keyOf } from '../api/parse.ts';
import type { KeySpec } from '../pki/keys.ts';
import { Line, type Place } from './line.ts';
import { type Permission, permissionOf, ruleOf } from './permission.ts';
import type { Rule } from './rule.ts';

type Labels = Readonly<Record<string, string>> | undefined;
type AnyClientCertificate = ClientCertificate | BrokenClientCertificate;

/** All from caches. */
export interface PlacesDeps {
  authority(key: string): AnyCertificateAuthority | undefined;
  labels(namespace: string): Labels;
  certificate(key: string): AnyClientCertificate | undefined;
  /** The ClientCertificates of a namespace that refer to the authority of that key. */
  certificates(authority: string, namespace: string): Iterable<ClientCertificate>;
}

/** The lines of one namespace at one authority, by the names of the rules, and the place of each certificate by its key. */
interface Book {
  /** Uid of the authority, and its rules: its owner may change the rest of its spec in a loop. */
  readonly version: string;
  readonly labels: Labels;
  readonly lines: Map<string, Line>;
  readonly places: Map<string, Place & { readonly rule: string }>;
}

/**
 * Which ClientCertificates have a place under rules with `maxCertificates`. A book is made when the first certificate under
 * such a rule asks for its place, and follows each change from then on. A change of the authority or of labels voids it:
 * that change wakes all certificates concerned.
 */
export class Places {
  readonly #deps: PlacesDeps;
  /** By authority, then by namespace. */
  readonly #books = new Map<string, Map<string, Book>>();
  /** By certificate: the kind of the key in the request of its client, which its spec doesn't say and rules may ask for. */
  readonly #requested = new Map<string, { readonly uid: string; readonly key: KeySpec }>();

  constructor(deps: PlacesDeps) {
    this.#deps = deps;
  }

  /** How many ClientCertificates of its namespace go before this one under the rule. */
  ahead(resource: ClientCertificate, rule: Rule): number {
    const { namespace } = resource;
    const authority = referred(resource);
    const book = this.#current(authority, namespace) ?? this.#open(authority, namespace);
    return book?.lines.get(rule.name)?.rank(placeOf(resource)) ?? 0;
  }

  /** Takes note of the request of a client, once it is read. Returns the same as certificateChanged. */
  requestRead(resource: ClientCertificate): string[] {
    const { request, key } = resource.spec;
    if (request === undefined || 'problem' in request) return [];
    const { uid, generation } = resource;
    // The resource may have changed while its request was read.
    const present = this.#deps.certificate(keyOf(resource));
    if (present === undefined || present.uid !== uid || present.generation !== generation) return [];
    const known = this.#requested.get(keyOf(resource));
    if (known?.uid === uid && isDeepStrictEqual(known.key, key)) return [];
    this.#requested.set(keyOf(resource), { uid, key });
    return this.certificateChanged(present, present);
  }

  /** Takes note of a change. Returns the keys of other certificates that have got a place by it, or have lost theirs. */
  certificateChanged(before: AnyClientCertificate | undefined, after: AnyClientCertificate | undefined): string[] {
    if (after === undefined && before !== undefined) this.#requested.delete(keyOf(before));
    if (this.#books.size === 0) return [];
    const [former, present] = [before, after].map((each) => (each === undefined || isBroken(each) ? undefined : each));
    const authorities = new Set([former, present].flatMap((each) => (each === undefined ? [] : [referred(each)])));
    return [...authorities].flatMap((authority) => {
      const resource = (former ?? present) as ClientCertificate;
      const { namespace } = resource;
      const book = this.#current(authority, namespace);
      if (book === undefined) return [];
      const member = present !== undefined && referred(present) === authority ? present : undefined;
      const moved = move(book, keyOf(resource), member, this.#ruleFor(authority, member, book.labels));
      if (book.places.size === 0) this.#close(authority, namespace);
      return moved;
    });
  }

  /** The authority is gone. */
  forget(authority: string): void {
    this.#books.delete(authority);
  }

  /** The book of the rules and labels of now. */
  #current(authority: string, namespace: string): Book | undefined {
    const book = this.#books.get(authority)?.get(namespace);
    if (book === undefined) return undefined;
    const isCurrent =
      book.version === this.#versionOf(authority) &&
      isDeepStrictEqual(book.labels, this.#labelsFor(authority, namespace));
    if (isCurrent) return book;
    this.#close(authority, namespace);
    return undefined;
  }

  #open(authority: string, namespace: string): Book | undefined {
    const version = this.#versionOf(authority);
    if (version === undefined) return undefined;
    const labels = this.#labelsFor(authority, namespace);
    const book: Book = { version, labels, lines: new Map(), places: new Map() };
    for (const each of this.#deps.certificates(authority, namespace))
      move(book, keyOf(each), each, this.#ruleFor(authority, each, labels));
    if (book.places.size === 0) return undefined;
    const books = this.#books.get(authority) ?? new Map<string, Book>();
    this.#books.set(authority, books.set(namespace, book));
    return book;
  }

  #close(authority: string, namespace: string): void {
    const books = this.#books.get(authority);
    books?.delete(namespace);
    if (books?.size === 0) this.#books.delete(authority);
  }

  #versionOf(authority: string): string | undefined {
    const found = this.#deps.authority(authority);
    return found === undefined || isBrokenAuthority(found)
      ? undefined
      : `${found.uid}/${digestOf(found.issuancePolicy)}`;
  }

  /** The rules of a CertificateAuthority don't depend on labels, and a change of these wakes none of its certificates. */
  #labelsFor(authority: string, namespace: string): Labels {
    return authority.startsWith('CertificateAuthority/') ? undefined : this.#deps.labels(namespace);
  }

  /** The rule that decides about a certificate; undefined where none does, or where it has no maximum. */
  #ruleFor(authority: string, resource: ClientCertificate | undefined, labels: Labels): Rule | undefined {
    const found = resource && this.#deps.authority(authority);
    if (found === undefined || isBrokenAuthority(found)) return undefined;
    const rule = ruleOf(permissionOf(found.issuancePolicy, this.#asRequested(resource as ClientCertificate), labels));
    return rule?.terms.maxCertificates === undefined ? undefined : rule;
  }

  /** With the kind of key of its request; with that of the spec while the request is not read yet. */
  #asRequested(resource: ClientCertificate): ClientCertificate {
    const known = resource.spec.csr === undefined ? undefined : this.#requested.get(keyOf(resource));
    if (known === undefined || known.uid !== resource.uid) return resource;
    return { ...resource, spec: { ...resource.spec, key: known.key } };
  }
}

/** The permission of a certificate that waits where others fill the places of its rule; `ahead` says how many go before it. */
export function withPlace(permission: Permission, ahead: (rule: Rule) => number): Permission {
  const rule = ruleOf(permission);
  const most = rule?.terms.maxCertificates;
  if (rule === undefined || most === undefined || ahead(rule) < most) return permission;
  return { is: 'full', rule, most };
}

/** Brings the place of a certificate up to date. Returns the keys of others that have got a place, or have lost theirs. */
function move(book: Book, key: string, resource: ClientCertificate | undefined, rule: Rule | undefined): string[] {
  const { lines, places } = book;
  const former = places.get(key);
  const isSame = former?.uid === resource?.uid && former?.createdAt === resource?.createdAt;
  if (former !== undefined && isSame && former.rule === rule?.name) return [];
  const winner = former && lines.get(former.rule)?.leave(former);
  if (former !== undefined) places.delete(key);
  const most = rule?.terms.maxCertificates;
  let loser: string | undefined;
  if (resource !== undefined && rule !== undefined && most !== undefined) {
    const line = lines.get(rule.name) ?? new Line(most);
    const place = { key, createdAt: resource.createdAt, uid: resource.uid, rule: rule.name };
    lines.set(rule.name, line);
    places.set(key, place);
    loser = line.enter(place);
  }
  if (former !== undefined && lines.get(former.rule)?.length === 0) lines.delete(former.rule);
  // One that gets a place and loses it at once stays where it was.
  return winner === loser ? [] : [winner, loser].filter((each) => each !== undefined);
}

function placeOf(resource: ClientCertificate): Place {
  const { createdAt, uid } = resource;
  return { key: keyOf(resource), createdAt, uid };
}

function referred({ namespace, spec }: ClientCertificate): string {
  return authorityKey({ ...spec.authorityRef, namespace });
}

const digests = new WeakMap<readonly IssuanceRule[], string>();

function digestOf(policy: IssuancePolicy): string {
  if (typeof policy === 'string') return policy;
  const known =
    digests.get(policy) ?? hash('sha256', JSON.stringify(policy.map(({ names, ...rest }) => [rest, ...names])));
  digests.set(policy, known);
  return known;
}
