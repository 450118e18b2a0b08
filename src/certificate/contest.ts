import type { ClientCertificate } from '../api/client-certificate.ts';
import { FIELD_MANAGER, GROUP } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import type { Act, Observed } from './observed.ts';
import { outputsOf } from './secret/outputs.ts';

const OURS: readonly string[] = ['data.tls.crt', 'data.tls.key', 'data.ca.crt', 'type', 'metadata.ownerReferences'];
const AUDIT = 'the audit log of the API server names the writer';

/** What another writer does to a Secret again and again, as a sentence; `live` is the Secret as that writer left it. */
export function describeContest(
  { resource }: Pick<Observed, 'resource'>,
  act: Act,
  live: RawObject | undefined,
): string {
  const { secretName } = resource.spec;
  if (live === undefined) return `Secret ${secretName} is deleted again and again; ${AUDIT}`;
  const files = new Set(Array.from(outputsOf(live).files.keys(), (name) => `data.${name}`));
  const writer = lastOtherWriter(live, (path) => isOurs(path, resource) || files.has(path));
  return writer === undefined
    ? `Secret ${secretName} is changed again and again (${act.message}); ${AUDIT}`
    : `Secret ${secretName} is changed again and again: field manager "${writer.manager}" writes ${writer.fields.join(', ')}`;
}

/** The other field manager that wrote last, of those that hold such fields, as `data.ca.crt`. A manager that removed a field holds nothing. */
export function lastOtherWriter(live: RawObject, isOfUs: (path: string) => boolean) {
  return (live.metadata?.managedFields ?? [])
    .filter(({ manager }) => manager !== FIELD_MANAGER)
    .map(({ manager = '', time = '', fieldsV1 = {} }) => ({
      manager,
      time,
      fields: pathsOf(fieldsV1).filter(isOfUs),
    }))
    .filter(({ fields }) => fields.length > 0)
    .sort((one, other) => (one.time < other.time ? 1 : -1))[0];
}

/** `{"f:data": {"f:tls.crt": {}}}` as `data.tls.crt`; what is inside a list is the list. */
function pathsOf(fields: object, path = ''): string[] {
  const inner = Object.entries(fields).filter(([key]) => key.startsWith('f:'));
  if (inner.length === 0) return path === '' ? [] : [path];
  return inner.flatMap(([key, value]) =>
    pathsOf(value as object, path === '' ? key.slice(2) : `${path}.${key.slice(2)}`),
  );
}

function isOurs(path: string, { spec }: ClientCertificate): boolean {
  const label = path.startsWith('metadata.labels.') ? path.slice('metadata.labels.'.length) : '';
  const annotation = path.startsWith('metadata.annotations.') ? path.slice('metadata.annotations.'.length) : '';
  return (
    OURS.includes(path) ||
    label.startsWith(`${GROUP}/`) ||
    annotation.startsWith(`${GROUP}/`) ||
    Object.hasOwn(spec.secretLabels, label) ||
    Object.hasOwn(spec.secretAnnotations, annotation)
  );
}
