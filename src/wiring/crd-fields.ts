import {
  certificateAuthoritySchema,
  clientCertificateSchema,
  clusterCertificateAuthoritySchema,
} from '../api/generated/schemas.ts';
import type { Resource } from '../api/names.ts';
import type { Fields } from '../api/unknown-fields.ts';

const KNOWN: Readonly<Record<string, Fields>> = {
  ClientCertificate: clientCertificateSchema,
  CertificateAuthority: certificateAuthoritySchema,
  ClusterCertificateAuthority: clusterCertificateAuthoritySchema,
};

/** The fields that this controller knows of the kind and the installed CRD doesn't: the API server drops them. */
export function missingFields({ kind }: Resource, installed: Fields): string[] {
  const { spec, status } = KNOWN[kind]?.properties ?? {};
  const properties = { ...(spec && { spec }), ...(status && { status }) };
  return missingBelow({ properties }, installed, '');
}

/** Of a field that is missing, what lies below it is not listed. */
function missingBelow(known: Fields, installed: Fields, path: string): string[] {
  const inside = Object.entries(known.properties ?? {}).flatMap(([name, child]) => {
    const present = Object.hasOwn(installed.properties ?? {}, name) ? installed.properties?.[name] : undefined;
    const at = path === '' ? name : `${path}.${name}`;
    return present === undefined ? [at] : missingBelow(child, present, at);
  });
  const items = known.items === undefined ? [] : missingBelow(known.items, installed.items ?? {}, `${path}[]`);
  return [...inside, ...items];
}
