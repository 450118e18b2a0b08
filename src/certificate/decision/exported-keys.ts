import type { ClientCertificate } from '../../api/client-certificate.ts';
import { brief } from '../secret/brief.ts';
import type { SecretView } from '../secret/view.ts';

/**
 * Labels and annotations by which a Secret asks another program to copy it, or to hand out what is in it. A user who may
 * write ClientCertificates and may not read Secrets would get a private key by them.
 */
export const EXPORTING_PREFIXES: readonly string[] = [
  'reflector.v1.k8s.emberstack.com/', // emberstack reflector
  'replicator.v1.mittwald.de/', // mittwald kubernetes-replicator
  'k8s-replicator/', // olli-ai k8s-replicator
  'kubed.appscode.com/', // Kubed and Config Syncer
  'propagate.hnc.x-k8s.io/', // Hierarchical Namespace Controller
  'accurate.cybozu.com/propagate', // Accurate
  'management.cattle.io/project-scoped-secret', // Rancher
  'argocd.argoproj.io/secret-type', // Argo CD takes it for credentials of a cluster or a repository
  'jenkins.io/credentials-', // Jenkins hands it to the jobs of everybody
  'synator/', // Synator
  'secretsync.ibm.com/', // secret-sync-operator
  'replizieren.dev/', // Replizieren
  'duplicator.k8s.nicktriller.com/', // k8s-duplicator
];

/** The first key of the template that is denied, and the prefix that denies it. */
export function deniedKey(
  { spec }: Pick<ClientCertificate, 'spec'>,
  prefixes: readonly string[],
): { readonly field: 'labels' | 'annotations'; readonly key: string; readonly prefix: string } | undefined {
  const fields = { labels: spec.secretLabels, annotations: spec.secretAnnotations };
  for (const field of ['labels', 'annotations'] as const)
    for (const key of Object.keys(fields[field])) {
      const prefix = prefixes.find((each) => key.startsWith(each));
      if (prefix !== undefined) return { field, key, prefix };
    }
  return undefined;
}

/**
 * The resource without the denied keys of its template, but for those that the Secret has with the same value: for a
 * write that must happen although the resource is refused, such as that of another CA.
 */
export function withoutNewExports<Resource extends Pick<ClientCertificate, 'spec'>>(
  resource: Resource,
  secret: Pick<SecretView, 'labels' | 'annotations'> | undefined,
  prefixes: readonly string[],
): Resource {
  if (deniedKey(resource, prefixes) === undefined) return resource;
  const kept = (wanted: Readonly<Record<string, string>>, held: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(
      Object.entries(wanted).filter(
        ([key, value]) => held[key] === brief(value) || !prefixes.some((each) => key.startsWith(each)),
      ),
    );
  const { secretLabels, secretAnnotations } = resource.spec;
  return {
    ...resource,
    spec: {
      ...resource.spec,
      secretLabels: kept(secretLabels, secret?.labels),
      secretAnnotations: kept(secretAnnotations, secret?.annotations),
    },
  };
}
