import type { ClientCertificate } from '../../api/client-certificate.ts';
import * as names from '../../api/names.ts';
import { type CertificateMemory, writeMemory } from './annotations.ts';
import type { Rendered } from './render.ts';
import { typeOfData } from './secret-type.ts';

export type SecretManifest = ReturnType<typeof secretManifest>;

/**
 * The whole Secret as it is applied: what isn't in here goes, so a write always carries everything. It holds only on
 * the condition that the Secret still is `current`; where there is none, version 1 makes server-side apply create it,
 * or answer 409 where something is in the way (without a version it would overwrite whatever is there).
 */
export function secretManifest(
  resource: ClientCertificate,
  { data, outputs }: Rendered,
  memory: CertificateMemory,
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
      annotations: {
        ...spec.secretAnnotations,
        [names.CERTIFICATE_UID_ANNOTATION]: resource.uid,
        ...writeMemory({ ...memory, templateKeys: templateKeys(resource), outputs }),
      },
      ownerReferences: spec.deletionPolicy === 'Delete' ? [ownerReference(resource)] : [],
    },
    type: typeOfData(data),
    data,
  };
}

/** The keys of the template: where they differ from what a Secret remembers, something was taken out of the template. */
export function templateKeys({ spec }: Pick<ClientCertificate, 'spec'>): string {
  return [...Object.keys(spec.secretLabels), ...Object.keys(spec.secretAnnotations)].sort().join(',');
}

export function ownerReference(resource: ClientCertificate) {
  return {
    apiVersion: names.apiVersion(names.CLIENT_CERTIFICATES),
    kind: names.CLIENT_CERTIFICATES.kind,
    name: resource.name,
    uid: resource.uid,
    controller: true,
    blockOwnerDeletion: false,
  };
}
