import type { KeyObject } from 'node:crypto';
import type { ClientCertificate } from '../../api/client-certificate.ts';
import { toRfc3339 } from '../../api/conditions.ts';
import * as names from '../../api/names.ts';
import type { Issued } from '../../backends/backend.ts';
import { readable } from '../../foreign-text.ts';
import { CREATE_ONLY } from '../../kube/object.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import { encodePrivateKey } from '../../pki/keys.ts';
import { authorityName } from '../authority-view.ts';
import { ownerReference } from '../secret/manifest.ts';
import { LONGEST_DENIAL, type NextContent, nextName } from './next-key.ts';

export type NextManifest = ReturnType<typeof nextManifest>;

/**
 * The Secret as it is applied: created, or changed on the condition that it still is `current`. One whose request was
 * denied keeps no key: nothing will ever go with it. Nor does one for a key that a client keeps itself.
 */
export function nextManifest(
  resource: ClientCertificate,
  content: NextContent,
  key: KeyObject | undefined,
  current: { readonly uid: string; readonly resourceVersion: string } | undefined,
  issued?: Issued,
  askedBy = authorityName(resource),
) {
  const { ticket, denied, withheld } = content;
  const keyPem = key?.type === 'private' ? encodePrivateKey(key, 'PKCS8') : '';
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace: resource.namespace,
      name: nextName(resource.name),
      ...(current === undefined
        ? { resourceVersion: CREATE_ONLY }
        : { uid: current.uid, resourceVersion: current.resourceVersion }),
      labels: { [names.NEXT_OF_LABEL]: resource.name },
      annotations: {
        [names.CERTIFICATE_UID_ANNOTATION]: resource.uid,
        [names.AUTHORITY_ANNOTATION]: askedBy,
        [names.REQUEST_ANNOTATION]: content.id,
        [names.WANTED_ANNOTATION]: content.wanted,
        ...(ticket === undefined ? {} : { [names.TICKET_ANNOTATION]: ticket }),
        ...(withheld === undefined
          ? {}
          : {
              [names.WITHHELD_AT_ANNOTATION]: withheld.at.toISOString(),
              [names.WITHHELD_BELOW_ANNOTATION]: withheld.anchor,
            }),
        ...(denied === undefined
          ? {}
          : {
              [names.DENIED_ANNOTATION]: readable(denied.message, LONGEST_DENIAL),
              [names.DENIED_AT_ANNOTATION]: toRfc3339(denied.at),
            }),
      },
      // Whatever the deletionPolicy: a key without its certificate is of no use.
      ownerReferences: [ownerReference(resource)],
    },
    type: 'kubernetes.io/tls',
    data: {
      'tls.crt': base64(pemOf(issued?.chain)),
      'tls.key': base64(keyPem),
      ...(issued?.ca === undefined ? {} : { 'ca.crt': base64(pemOf(issued.ca)) }),
    },
  };
}

function pemOf(certificates: readonly CertificateView[] = []): string {
  return certificates.map(({ pem }) => pem).join('');
}

function base64(pem: string): string {
  return Buffer.from(pem, 'latin1').toString('base64');
}
