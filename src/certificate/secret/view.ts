import * as names from '../../api/names.ts';
import { parseMeta, type RawObject } from '../../api/parse.ts';
import { shared } from '../../api/shared.ts';
import { cut } from '../../foreign-text.ts';
import { weightOf } from '../../kube/cache/namespace-share.ts';
import { hashOfBundle } from '../../pki/bundle.ts';
import { readMemory, type SecretMemory, shortOnly } from './annotations.ts';
import type { CertificateFacts } from './facts.ts';
import { USUAL_LEDGER } from './ledger.ts';
import { areFilesWhole, areTrustStoresCurrent, outputsOf } from './outputs.ts';
import type { SecretContent } from './read-content.ts';
import { keysOfTemplate, ofTemplate } from './template-entries.ts';
import { type Content, contentOnArrival, Unproven } from './unproven.ts';

/** A Secret as a reconcile sees it: no key in it, and no bytes that no check needs. */
export interface SecretView {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  /** Whose it is by its label and its annotation; undefined unless it carries both. */
  readonly owner: { readonly certificateName: string; readonly certificateUid: string } | undefined;
  /** The ClientCertificate to which a person handed it. */
  readonly adoptBy: string | undefined;
  readonly ownerReferences: readonly string[];
  /** Whether what it holds is proven; before that neither of the two below is known. */
  readonly isProven: boolean;
  /** Either a certificate that goes with its key and its CA, or the sentence that says what is wrong. */
  readonly certificate: CertificateFacts | undefined;
  readonly problem: string | undefined;
  /** When the certificate says that it is valid, before that is proven: for nothing but the order of work, and forecasts. */
  readonly claimedValidity: Pick<CertificateFacts, 'notBefore' | 'notAfter'> | undefined;
  /** Its serial number, likewise: for nothing but to leave that certificate alone. */
  readonly claimedSerialNumber: string | undefined;
  readonly trustBundleHash: string;
  /** Whether the trust stores hold what ca.crt holds: they stay behind while their password can't be used. */
  readonly areTrustStoresCurrent: boolean;
  /** Those that came from a template, by what the Secret remembers; each value brief. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly memory: SecretMemory;
  /** Whether the files beside tls.crt, tls.key and ca.crt are as they were written. */
  readonly areFilesWhole: boolean;
  /** The names of those files, with commas between. */
  readonly files: string;
  /** Whether the API server refuses every change of its data (`immutable` of the Secret). */
  readonly isImmutable: boolean;
  /** What it takes in memory, in bytes, roughly. */
  readonly weight: number;
}

/**
 * Reduces a Secret, and proves what it holds. Its private key is compared once, and dropped. `known` is what its data is
 * known to hold, and saves the proof.
 */
export function viewSecret(object: RawObject, known?: SecretContent): SecretView {
  return provenView(viewOnArrival(object, known));
}

/**
 * The same without the proof, which takes a signature or more: a start with thousands of Secrets waits for none of them
 * (see docs/performance.md), and a tenant can't stop the watch by Secrets whose proof takes long.
 */
export function viewOnArrival(object: RawObject, known?: SecretContent): SecretView {
  return new View(marksOf(object), contentOnArrival(object, known));
}

/** The same view with its proof, which costs nothing where there is one. */
export function provenView(view: SecretView): SecretView {
  return view instanceof View ? view.proven() : view;
}

/** What a view keeps besides the content of the Secret. */
interface Marks
  extends Pick<
    SecretView,
    | 'namespace'
    | 'name'
    | 'uid'
    | 'resourceVersion'
    | 'type'
    | 'adoptBy'
    | 'trustBundleHash'
    | 'labels'
    | 'annotations'
    | 'memory'
    | 'areFilesWhole'
    | 'files'
    | 'areTrustStoresCurrent'
    | 'isImmutable'
  > {
  readonly certificateName: string | undefined;
  readonly certificateUid: string | undefined;
  readonly owners: readonly string[];
}

function marksOf(object: RawObject): Marks {
  const { namespace, name, uid, resourceVersion } = parseMeta(object);
  const { labels = {}, annotations = {}, ownerReferences = [] } = object.metadata ?? {};
  const keys = keysOfTemplate(annotations);
  const certificateUid = shortOnly(annotations[names.CERTIFICATE_UID_ANNOTATION]);
  const owners = ownerReferences.slice(0, MOST_OWNERS).map((each) => each.uid);
  return {
    ...{ namespace, name, uid, resourceVersion },
    type: shared(cut(object.type ?? '', LONGEST_TYPE)),
    adoptBy: shortOnly(annotations[names.ADOPT_ANNOTATION]),
    trustBundleHash: hashOfTrustBundle(object.data),
    labels: ofTemplate(labels, keys),
    annotations: ofTemplate(annotations, keys),
    memory: readMemory(annotations),
    areFilesWhole: areFilesWhole(object),
    files: shared([...outputsOf(object).files.keys()].join()),
    areTrustStoresCurrent: areTrustStoresCurrent(object),
    isImmutable: object.immutable === true,
    certificateName: labels[names.CERTIFICATE_NAME_LABEL],
    certificateUid,
    owners: owners.length === 1 && owners[0] === certificateUid ? BY_ITS_CERTIFICATE : owners,
  };
}

/** Kept for every ClientCertificate, so what can be said shorter isn't kept as it is asked for. */
class View implements SecretView, Marks {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  readonly adoptBy: string | undefined;
  readonly trustBundleHash: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly memory: SecretMemory;
  readonly areFilesWhole: boolean;
  readonly files: string;
  readonly areTrustStoresCurrent: boolean;
  readonly isImmutable: boolean;
  readonly certificateName: string | undefined;
  readonly certificateUid: string | undefined;
  readonly owners: readonly string[];
  readonly #content: Content;

  constructor(marks: Marks, content: Content) {
    this.namespace = marks.namespace;
    this.name = marks.name;
    this.uid = marks.uid;
    this.resourceVersion = marks.resourceVersion;
    this.type = marks.type;
    this.adoptBy = marks.adoptBy;
    this.trustBundleHash = marks.trustBundleHash;
    this.labels = marks.labels;
    this.annotations = marks.annotations;
    this.memory = marks.memory;
    this.areFilesWhole = marks.areFilesWhole;
    this.files = marks.files;
    this.areTrustStoresCurrent = marks.areTrustStoresCurrent;
    this.isImmutable = marks.isImmutable;
    this.certificateName = marks.certificateName;
    this.certificateUid = marks.certificateUid;
    this.owners = marks.owners;
    this.#content = content;
  }

  get weight(): number {
    const content = this.#content instanceof Unproven ? this.#content.weight : 0;
    const ledger = Math.max(0, this.memory.ledger.length - USUAL_LEDGER);
    return LIGHTEST + weightOf(this.labels) + weightOf(this.annotations) + weightOf(this.owners) + ledger + content;
  }

  get owner(): SecretView['owner'] {
    const { certificateName, certificateUid } = this;
    return certificateName === undefined || certificateUid === undefined
      ? undefined
      : { certificateName, certificateUid };
  }

  get ownerReferences(): readonly string[] {
    return this.owners === BY_ITS_CERTIFICATE ? [this.certificateUid ?? ''] : this.owners;
  }

  get isProven(): boolean {
    return !(this.#content instanceof Unproven);
  }

  get certificate(): CertificateFacts | undefined {
    const content = this.#content;
    return typeof content === 'string' || content instanceof Unproven ? undefined : content;
  }

  get problem(): string | undefined {
    return typeof this.#content === 'string' ? this.#content : undefined;
  }

  get claimedValidity(): SecretView['claimedValidity'] {
    const content = this.#content;
    if (typeof content === 'string') return undefined;
    return content instanceof Unproven ? content.claimed : content;
  }

  get claimedSerialNumber(): string | undefined {
    const content = this.#content;
    return content instanceof Unproven ? content.claimed.serialNumber : this.certificate?.serialNumber;
  }

  proven(): SecretView {
    return this.#content instanceof Unproven ? new View(this, this.#content.prove()) : this;
  }
}

/** Of what the data of a Secret holds as its trust bundle. */
export function hashOfTrustBundle(data: RawObject['data']): string {
  return shared(hashOfBundle(Buffer.from(data?.['ca.crt'] ?? '', 'base64').toString('latin1')));
}

/** In place of a list with nothing but the uid that the Secret carries anyway. */
const BY_ITS_CERTIFICATE: readonly string[] = [];

/** What a view takes whose content is proven: measured. */
const LIGHTEST = 2_500;
const LONGEST_TYPE = 253;
/** Ours is the first of those that Certwheel writes, and others rarely come at all. */
const MOST_OWNERS = 50;

/** Of the CA certificates that all files of the Secret hold; empty, which is the hash of none, where they don't hold the same. */
export function trustedByAllFiles({ trustBundleHash, areTrustStoresCurrent: isCurrent }: SecretView): string {
  return isCurrent ? trustBundleHash : '';
}
