import { authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import { SECRETS } from '../api/names.ts';
import { keyOf } from '../api/parse.ts';
import { LEDGER_SECRET, readLedgerSecret } from '../authority/ledger-secret.ts';
import type { Wish } from '../certificate/revocation/wishes.ts';
import { sealedEntries } from '../certificate/secret/ledger.ts';
import { authorityKeyIn, isRecord, isView } from '../certificate/secret/record.ts';
import type { Reference } from '../kube/references.ts';
import { Turns } from '../queue/turns.ts';
import { auditRevocation } from '../revocation/audited.ts';
import type { KnownCrls } from '../revocation/crl/known-crls.ts';
import type { RegisterWatches } from '../revocation/deps.ts';
import { REGISTER_SECRET } from '../revocation/register-secret.ts';
import { Revocations } from '../revocation/revocations.ts';
import type { Issued } from '../revocation/search.ts';
import { wireCrls } from './crls.ts';
import { applyUnaltered } from './secret-access.ts';
import { namespaceOf, type Services } from './services.ts';

interface Wakes {
  authority(key: string, at: Date): void;
  /** `namespace/name`. */
  certificate(key: string): void;
  /** All certificates behind an authority. */
  members(authority: string): void;
}

/** The registers of revocations beside the authorities, with access to the API server. */
export function wireRevocations(services: Services, knownCrls: KnownCrls, wakes: Wakes): Revocations {
  const { audit, client, clock, log, metrics, ownership, sharding } = services;
  return new Revocations({
    clock,
    log,
    ownership,
    assertActive: sharding.assertActive,
    registers: registerWatches(services),
    namespaceOf: (resource) => namespaceOf(resource, services),
    read: (namespace, name) => client.get(SECRETS, namespace, name),
    apply: (manifest) => applyUnaltered(client, manifest),
    issued: (resource) => issuedBy(resource, services),
    crls: wireCrls(services, knownCrls),
    noted: (resource, entry) => auditRevocation(audit, 'asked', resource, entry),
    wakeAuthority: wakes.authority,
    wakeCertificate: wakes.certificate,
    wakeMembers: wakes.members,
    revoked: (resource, entry) => {
      metrics.revoked(resource.type, entry.reason);
      auditRevocation(audit, 'done', resource, entry);
    },
    refused: (resource, entry, message) => auditRevocation(audit, 'refused', resource, entry, message),
  });
}

/** Over those of the cluster kind where replicas share the work. */
function registerWatches(services: Services): RegisterWatches | undefined {
  const { config, references } = services;
  if (config.shards === 0) return undefined;
  const watched = new Map<string, Reference>();
  return {
    watch: (resource, onChange) => {
      const key = authorityKey(resource);
      if (resource.kind !== 'ClusterCertificateAuthority' || watched.has(key)) return;
      const [namespace, name] = [namespaceOf(resource, services), REGISTER_SECRET.nameOf(resource)];
      const reference = references.acquire(SECRETS, namespace, name, () =>
        onChange(reference.get()?.metadata?.resourceVersion),
      );
      watched.set(key, reference);
    },
    leave: (key) => {
      watched.get(key)?.release();
      watched.delete(key);
    },
  };
}

/** Has each certificate revoked by the authority that issued it. */
export function revokeEach(resource: ClientCertificate, wishes: readonly Wish[], revocations: Revocations): void {
  const { namespace } = resource;
  for (const [authority, own] of Map.groupBy(wishes, ({ sealedFor }) => sealedFor)) {
    revocations.ask(authorityKeyIn(namespace, authority), keyOf(resource), own);
  }
}

/** What is sealed in the Secrets of certificates, and in the ledger beside the authority for those that are gone. */
async function issuedBy(resource: CertificateAuthority, services: Services): Promise<ReadonlyMap<string, Issued>> {
  const { booksKey, client, clock, cluster } = services;
  const authority = `${resource.kind}/${resource.name}`;
  const found = new Map<string, Issued>();
  const stored = await client.get(SECRETS, namespaceOf(resource, services), LEDGER_SECRET.nameOf(resource));
  const lost = stored !== undefined && LEDGER_SECRET.isOf(stored, resource) ? readLedgerSecret(stored) : [];
  for (const [namespace, text] of lost)
    for (const each of sealedEntries(text, { authority, namespace }, booksKey.seal))
      found.set(each.serialNumber, { ...each, isLost: true });
  const key = authorityKey(resource);
  const turns = new Turns(clock);
  for (const each of cluster.withPrimaries(key))
    for (const kept of cluster.secrets.byIndex('authority', each)) {
      await turns.end();
      const ledger = isView(kept) ? kept.memory.ledger : isRecord(kept) ? kept.ledger : undefined;
      if (ledger === undefined || !('namespace' in kept)) continue;
      for (const entry of sealedEntries(ledger, { authority, namespace: kept.namespace }, booksKey.seal))
        found.set(entry.serialNumber, entry);
    }
  return found;
}
