import type { CertificateAuthority } from '../api/certificate-authority.ts';
import * as names from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { CREATE_ONLY } from '../kube/object.ts';

type Owner = Pick<CertificateAuthority, 'kind' | 'name'>;

/** A purpose for which an authority keeps texts in a Secret: the end of its name, and the label that names the authority. */
export interface Purpose {
  readonly suffix: string;
  readonly label: string;
}

/** `<authority>-ca-<suffix>`, `<authority>-clusterca-<suffix>` for the cluster kind. */
export function textsSecretName({ kind, name }: Owner, { suffix }: Purpose): string {
  return `${name}-${kind === 'ClusterCertificateAuthority' ? 'clusterca' : 'ca'}-${suffix}`;
}

/** Whether a Secret of that name is the one of this authority. */
export function isTextsSecret({ metadata = {} }: RawObject, { kind, name }: Owner, { label }: Purpose): boolean {
  const { labels = {} } = metadata;
  return labels[label] === name && labels[names.AUTHORITY_KIND_LABEL] === kind;
}

export function readTexts({ data = {} }: RawObject): ReadonlyMap<string, string> {
  return new Map(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString('utf8')]));
}

/** The Secret as it is applied, on the condition that it still is `current`, or that there is none. */
export function textsManifest(
  owner: Owner,
  purpose: Purpose,
  namespace: string,
  texts: ReadonlyMap<string, string>,
  current: RawObject | undefined,
) {
  const { uid, resourceVersion = CREATE_ONLY } = current?.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace,
      name: textsSecretName(owner, purpose),
      ...(uid === undefined ? {} : { uid }),
      resourceVersion,
      labels: { [purpose.label]: owner.name, [names.AUTHORITY_KIND_LABEL]: owner.kind },
    },
    type: 'Opaque',
    data: Object.fromEntries([...texts].map(([each, text]) => [each, Buffer.from(text).toString('base64')])),
  };
}
