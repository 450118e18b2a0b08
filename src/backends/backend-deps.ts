import type { Resource } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { CaPath } from '../pki/ca.ts';
import type { Signer } from '../pki/signer.ts';
import type { BackendState } from './backend-state.ts';
import type { AddressRules } from './http/address.ts';
import type { HsmRules } from './pkcs11/config.ts';
import type { LeafRevocation } from './shared/leaf-revocation.ts';

/** What Certwheel hands to an authority. */
export interface BackendDeps {
  /** `namespace/name`, or the name alone; for logs. */
  readonly name: string;
  /** Of its resource. */
  readonly uid: string;
  /** Whether it is a ClusterCertificateAuthority, which only a cluster administrator can have written. */
  readonly clusterWide: boolean;
  /** A Secret of the authority's own namespace by name, kept up to date; undefined where there is none. */
  secret(name: string): Promise<ReferencedData | undefined>;
  /** The same of a ConfigMap. */
  configMap(name: string): Promise<ReferencedData | undefined>;
  /** A token of a ServiceAccount of the authority's own namespace; nothing keeps it. */
  serviceAccountToken(name: string, audience: string, seconds: number): Promise<string>;
  readonly objects: KubernetesObjects;
  /** Objects of the namespace of a request. */
  objectsOf(namespace: string): KubernetesObjects;
  readonly state: BackendState;
  /** Where an authority that is a server may be. */
  readonly addresses: AddressRules;
  /** Which HSMs there are, and who may use them. */
  readonly hsm: HsmRules;
  /** Where Certwheel decides which CA signs: the generation that signs now, and all that verifiers must accept. */
  signing(): SigningCa | undefined;
  trusted(): readonly CaPath[];
  /** What all Secrets list of this authority, those of other namespaces too. */
  booked(): readonly BookedCertificate[];
  /** Where leaves that Certwheel signs say that their revocation is looked up; undefined where spec.revocation has no url. */
  readonly revocation?: LeafRevocation | undefined;
  /** Whether this replica may change what another machine keeps for the authority as a whole. */
  owns(): boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The CA generation that signs: with the key that is at hand, or where another machine holds the key. */
export interface SigningCa {
  readonly version: number;
  readonly path: CaPath;
  readonly signer: Signer | undefined;
  /** See OfferedCa. */
  readonly issuerRef?: string | undefined;
}

/** A certificate of an authority that is still valid, as its Secret remembers it; a writer of Secrets may have forged that. */
export interface BookedCertificate {
  /** Lower-case hex. */
  readonly serialNumber: string;
  /** See Issued. Undefined where the Secret holds the certificate with its key, which nobody can forge. */
  readonly externalId?: string | undefined;
  /** When another one took its place; undefined for one that a Secret holds now. */
  readonly supersededAt?: Date | undefined;
}

/** The keys of a Secret or a ConfigMap, decoded. */
export type ReferencedData = Readonly<Record<string, Buffer>>;

/** What is under a key that a spec names; an own member, since every object has a `constructor`. */
export function dataAt(content: ReferencedData, key: string): Buffer | undefined {
  return Object.hasOwn(content, key) ? content[key] : undefined;
}

/** Objects of the cluster, or of the authority's own namespace, past every cache. Failures are ApiErrors. */
export interface KubernetesObjects {
  /** The namespace in which an authority's references resolve. */
  readonly namespace: string;
  get(resource: Resource, name: string): Promise<RawObject | undefined>;
  /** 409 where there is one of that name. */
  create(resource: Resource, object: NewObject): Promise<RawObject>;
  /**
   * Server-side apply, which creates what isn't there. `metadata.resourceVersion` is the precondition: 409 where the object is
   * another by now, and with "1" where there is one.
   */
  apply(resource: Resource, object: NewObject): Promise<RawObject>;
  /** Server-side apply of a subresource. */
  applySubresource(resource: Resource, subresource: string, object: NewObject): Promise<RawObject>;
  /** Harmless where it is gone; 409 where it isn't the one of that uid. */
  delete(resource: Resource, name: string, preconditions?: { readonly uid: string }): Promise<void>;
  /** Whether Certwheel itself may do this. */
  allowed(access: AccessQuestion): Promise<boolean>;
}

export interface NewObject {
  readonly metadata: { readonly name: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

export interface AccessQuestion {
  readonly verb: string;
  readonly resource: Resource;
  readonly subresource?: string;
  readonly name?: string;
}
