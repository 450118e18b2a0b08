/** The labels of a series about one certificate. */
export const LABELS = ['namespace', 'name', 'authority'] as const;
export type Labels = Record<(typeof LABELS)[number], string>;

/** `key` is that of the ClientCertificate, `authority` that of its authority. */
export function labelsOf(key: string, { authority }: { readonly authority: string }): Labels {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1), authority };
}
