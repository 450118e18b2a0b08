import type { CertificateAuthority } from '../api/certificate-authority.ts';
import * as names from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { CREATE_ONLY } from '../kube/object.ts';

type Owner = Pick<CertificateAuthority, 'kind' | 'name'>;

/** A purpose for which an authority keeps texts in a Secret: the end of its name, and the label that names the authority. */
interface Purpose {
  readonly suffix: string;
  readonly label: string;
}

/** What a condition on an object takes. */
interface Current {
  readonly metadata?: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined };
}

/** The Secrets in which authorities keep texts for one purpose, one for each authority. */
export interface TextsSecret {
  /** `<authority>-ca-<suffix>`, `<authority>-clusterca-<suffix>` for the cluster kind. */
  nameOf(owner: Owner): string;
  /** Whether a Secret of that name is the one of this authority. */
  isOf(object: RawObject, owner: Owner): boolean;
  /** The Secret without texts. It is created first where its texts name its uid, which the API server assigns. */
  blank(owner: Owner, namespace: string): ReturnType<typeof manifestOf>;
  /** The Secret as it is applied, on the condition that it still is `current`, or that there is none. */
  manifest(
    owner: Owner,
    namespace: string,
    texts: ReadonlyMap<string, string>,
    current: Current | undefined,
  ): ReturnType<typeof manifestOf>;
}

export function textsSecret({ suffix, label }: Purpose): TextsSecret {
  const nameOf = ({ kind, name }: Owner) =>
    `${name}-${kind === 'ClusterCertificateAuthority' ? 'clusterca' : 'ca'}-${suffix}`;
  const manifest: TextsSecret['manifest'] = (owner, namespace, texts, current) =>
    manifestOf(
      { namespace, name: nameOf(owner) },
      { [label]: owner.name, [names.AUTHORITY_KIND_LABEL]: owner.kind },
      texts,
      current,
    );
  return {
    nameOf,
    isOf: ({ metadata: { labels = {} } = {} }, { kind, name }) =>
      labels[label] === name && labels[names.AUTHORITY_KIND_LABEL] === kind,
    blank: (owner, namespace) => manifest(owner, namespace, new Map(), undefined),
    manifest,
  };
}

/** The key under which a Secret names its own uid. The API server assigns the uid, so a Secret that is created with texts can't name it. */
export const OWN_UID = 'secret-uid';

/** Whether a Secret names its own uid: it is no copy, none of a backup, and none that a user who may only create Secrets has made. */
export function namesItself(object: RawObject): boolean {
  const uid = object.metadata?.uid;
  return uid !== undefined && readTexts(object).get(OWN_UID) === uid;
}

/** The texts with the uid of the Secret that they are for. */
export function withOwnUid(texts: ReadonlyMap<string, string>, { metadata }: Current): ReadonlyMap<string, string> {
  return new Map([...texts, [OWN_UID, metadata?.uid ?? '']]);
}

export function readTexts({ data = {} }: RawObject): ReadonlyMap<string, string> {
  return new Map(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString('utf8')]));
}

function manifestOf(
  place: { readonly namespace: string; readonly name: string },
  labels: Readonly<Record<string, string>>,
  texts: ReadonlyMap<string, string>,
  current: Current | undefined,
) {
  const { uid, resourceVersion = CREATE_ONLY } = current?.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { ...place, ...(uid === undefined ? {} : { uid }), resourceVersion, labels },
    type: 'Opaque',
    data: Object.fromEntries([...texts].map(([each, text]) => [each, Buffer.from(text).toString('base64')])),
  };
}
