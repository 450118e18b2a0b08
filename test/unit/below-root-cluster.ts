import type { SelfManagedBackend } from '../../src/api/generated/types.ts';
import type { RawObject } from '../../src/api/parse.ts';
import type { BackendDeps, ReferencedData } from '../../src/backends/backend-deps.ts';
import type { KeptState } from '../../src/backends/backend-state.ts';
import { selfManaged } from '../../src/backends/self-managed.ts';
import { ApiError } from '../../src/errors.ts';
import type { CaPair, CaPath } from '../../src/pki/ca.ts';
import { authorityKeyIdExtension, keyIdOf, subjectKeyIdExtension } from '../../src/pki/extensions.ts';
import { keyIdOfCa } from '../../src/pki/issue.ts';
import { parsePem, toPem } from '../../src/pki/pem.ts';
import { type Holder, hoursFromNow, NOW, serial } from '../pki/make.ts';
import { readCsr } from '../pki/read-csr.ts';
import { writeCertificate } from '../pki/write-certificate.ts';
import { FakeClock } from './fake-clock.ts';
import { SILENT } from './own-authority.ts';

const { signal } = new AbortController();

/** What outlives a process: a fake API server with one ConfigMap and one Secret, so that a test sets the moments between their writes. */
export class Cluster {
  map: RawObject | undefined;
  kept: KeptState | undefined;
  trusted: readonly CaPath[] = [];
  /** How many ConfigMaps were made. */
  made = 0;
  readonly clock = new FakeClock(NOW);
  readonly top: Holder;
  #writes = 0;
  /** What the ConfigMap with the trust bundle holds, where the spec names one. */
  roots = '';
  /** Whether no read is answered. */
  isAway = false;
  /** Thrown by the next creation of the ConfigMap, as where the process ends there. */
  failsOnce = false;

  constructor(top: Holder) {
    this.top = top;
  }

  /** A process with this spec. */
  process(spec: Partial<SelfManagedBackend> = {}, { clusterWide = false, isBelowRoot = true } = {}) {
    const deps: Partial<BackendDeps> = {
      name: 'shop/ca',
      uid: 'uid-of-ca',
      clusterWide,
      clock: this.clock,
      log: SILENT,
      configMap: async (name) => (name === 'roots' ? { 'ca.crt': Buffer.from(this.roots) } : undefined),
      signing: () => undefined,
      trusted: () => this.trusted,
      state: { read: async () => this.#read(), write: async (data, previous) => this.#write(data, previous) },
      objects: {
        namespace: 'shop',
        get: async () => this.map,
        create: async (_resource, object) => this.#create(object as RawObject),
        delete: async () => {
          this.map = undefined;
        },
      } as Partial<BackendDeps['objects']> as BackendDeps['objects'],
    };
    const externalRoot = { trustBundle: { inline: this.top.certificate.pem, partialChain: false } };
    const full: SelfManagedBackend = {
      commonName: 'Demo',
      duration: '87600h',
      privateKey: { algorithm: 'ECDSA' },
      ...(isBelowRoot && { externalRoot }),
      ...spec,
    };
    const { keyPair } = selfManaged.create(full, deps as BackendDeps);
    return (newest: CaPair | undefined, version: number) =>
      keyPair?.(newest, version, signal, (work) => work()) as Promise<CaPair>;
  }

  /** As a person does with the CSR that waits. */
  sign(notBefore = NOW, notAfter = hoursFromNow(900)): void {
    const [block] = parsePem(this.map?.data?.['request.csr'] ?? '');
    if (block === undefined) throw new Error('there is no CSR');
    const { certificate, key } = this.top;
    const { extensions, ...asked } = readCsr(block.der);
    const der = writeCertificate({
      ...asked,
      extensions: [
        ...extensions,
        subjectKeyIdExtension(keyIdOf(asked.publicKeyDer)),
        authorityKeyIdExtension(keyIdOfCa(certificate)),
      ],
      issuerDer: certificate.subjectDer,
      signingKey: key,
      serialNumber: serial(),
      notBefore,
      notAfter,
    });
    this.map = { ...this.map, data: { ...this.map?.data, 'tls.crt': toPem('CERTIFICATE', der) } };
  }

  #create(object: RawObject): RawObject {
    if (this.failsOnce) {
      this.failsOnce = false;
      throw new ApiError(0, 'NoAnswer', 'the process ends here');
    }
    if (this.map !== undefined) throw new ApiError(409, 'AlreadyExists', 'there is one');
    this.made++;
    this.map = { ...object, metadata: { ...object.metadata, namespace: 'shop', uid: `uid-${this.made}` } };
    return this.map;
  }

  #read(): KeptState | undefined {
    if (this.isAway) throw new ApiError(503, 'ServiceUnavailable', 'away');
    return this.kept;
  }

  #write(data: ReferencedData, previous: KeptState | undefined): KeptState {
    if (previous?.resourceVersion !== this.kept?.resourceVersion) throw new ApiError(409, 'Conflict', 'changed');
    this.#writes++;
    this.kept = { data, place: 'shop/ca-ca-request', uid: 'uid', resourceVersion: `${this.#writes}` };
    return this.kept;
  }
}
