/** Limits of Kubernetes on the labels and annotations of a Secret. CEL checks them too, but what is stored may be older. */

const QUALIFIED_NAME =
  /^(?:([a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:[.][a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*)[/])?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
/** Of the 256 KiB that an object can have; Certwheel's own annotations need room too. */
const MOST_ANNOTATION_BYTES = 163_840;

type Entries = Readonly<Record<string, string>>;

/** Why no Secret can have these labels and annotations, with the field and the key; undefined if one can. */
export function templateProblem(template: {
  readonly labels?: Entries;
  readonly annotations?: Entries;
}): string | undefined {
  for (const field of ['labels', 'annotations'] as const) {
    const wrong = Object.keys(template[field] ?? {}).find((key) => !isQualifiedName(key));
    if (wrong !== undefined)
      return `spec.secretTemplate.${field} has the key ${JSON.stringify(wrong)}, which is no Kubernetes ${field.slice(0, -1)} key, as in team or example.com/team`;
  }
  const bytes = Object.entries(template.annotations ?? {}).reduce(
    (sum, entry) => sum + Buffer.byteLength(entry.join('')),
    0,
  );
  return bytes > MOST_ANNOTATION_BYTES
    ? `spec.secretTemplate.annotations has ${bytes} bytes, keys included; a Secret can have at most ${MOST_ANNOTATION_BYTES} of them`
    : undefined;
}

/** A name of at most 63 characters, after a DNS subdomain of at most 253 where there is one. */
function isQualifiedName(key: string): boolean {
  const match = key.length <= 317 ? QUALIFIED_NAME.exec(key) : null;
  return match !== null && (match[1] ?? '').length <= 253;
}
