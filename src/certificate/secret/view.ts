import * as names from '../../api/names.ts';
import { parseMeta, type RawObject } from '../../api/parse.ts';
import { shared } from '../../api/shared.ts';
import { cut } from '../../foreign-text.ts';
import { weightOf } from '../../kube/cache/namespace-share.ts';
import { hashOfBundle } from '../../pki/bundle.ts';
import { LONGEST_TEMPLATE_KEYS, readMemory, type SecretMemory, shortOnly } from './annotations.ts';
import { briefly } from './brief.ts';
import {
  LEADS_NOWHERE,
  type OwedContent,
  readSecretContent,
  type SecretContent,
  SecretContentError,
} from './content.ts';
import { type CertificateFacts, factsOf } from './facts.ts';

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
  /** Either a certificate that goes with its key and its CA, or the sentence that says what is wrong. */
  readonly certificate: CertificateFacts | undefined;
  readonly problem: string | undefined;
  /** When the certificate says that it is valid, before that is proven: for nothing but the order of work, and forecasts. */
  readonly claimedValidity: Pick<CertificateFacts, 'notBefore' | 'notAfter'> | undefined;
  readonly trustBundleHash: string;
  /** Those that came from a template, by what the Secret remembers; each value brief. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly memory: SecretMemory;
  /** What it takes in memory, in bytes, roughly. */
  readonly weight: number;
}

/**
 * Reduces a Secret on arrival; its private key is compared once, and dropped. `known` is what its data is known to hold,
 * and saves the proof.
 */
export function viewSecret(object: RawObject, known?: SecretContent): SecretView {
  return new View(object, known);
}

/** Kept for every ClientCertificate, so what can be said shorter isn't kept as it is asked for. */
class View implements SecretView {
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
  readonly #certificateName: string | undefined;
  readonly #certificateUid: string | undefined;
  readonly #owners: readonly string[];
  /** Facts, or a promise of them, or the sentence that says why there are none. */
  #content: CertificateFacts | Claim | string;

  constructor(object: RawObject, known: SecretContent | undefined) {
    const { namespace, name, uid, resourceVersion } = parseMeta(object);
    const { labels = {}, annotations = {}, ownerReferences = [] } = object.metadata ?? {};
    this.namespace = namespace;
    this.name = name;
    this.uid = uid;
    this.resourceVersion = resourceVersion;
    this.type = shared(cut(object.type ?? '', LONGEST_TYPE));
    this.adoptBy = shortOnly(annotations[names.ADOPT_ANNOTATION]);
    this.trustBundleHash = hashOfTrustBundle(object.data);
    const written = keysOfTemplate(annotations);
    this.labels = written === undefined ? NOTHING : shared(onlyThose(labels, written));
    this.annotations = written === undefined ? NOTHING : shared(onlyThose(annotations, written));
    this.memory = readMemory(annotations);
    this.#certificateName = labels[names.CERTIFICATE_NAME_LABEL];
    this.#certificateUid = shortOnly(annotations[names.CERTIFICATE_UID_ANNOTATION]);
    const owners = ownerReferences.slice(0, MOST_OWNERS).map((each) => each.uid);
    this.#owners = owners.length === 1 && owners[0] === this.#certificateUid ? BY_ITS_CERTIFICATE : owners;
    this.#content = claimOf(object.data, known);
  }

  get weight(): number {
    const content = this.#content instanceof Claim ? this.#content.weight : 0;
    return LIGHTEST + weightOf(this.labels) + weightOf(this.annotations) + weightOf(this.#owners) + content;
  }

  get owner(): SecretView['owner'] {
    const [certificateName, certificateUid] = [this.#certificateName, this.#certificateUid];
    return certificateName === undefined || certificateUid === undefined
      ? undefined
      : { certificateName, certificateUid };
  }

  get ownerReferences(): readonly string[] {
    return this.#owners === BY_ITS_CERTIFICATE ? [this.#certificateUid ?? ''] : this.#owners;
  }

  get certificate(): CertificateFacts | undefined {
    const settled = this.#settle();
    return typeof settled === 'string' ? undefined : settled;
  }

  get problem(): string | undefined {
    const settled = this.#settle();
    return typeof settled === 'string' ? settled : undefined;
  }

  get claimedValidity(): SecretView['claimedValidity'] {
    const content = this.#content;
    if (typeof content === 'string') return undefined;
    return content instanceof Claim ? content.validity : content;
  }

  #settle(): CertificateFacts | string {
    if (this.#content instanceof Claim) this.#content = this.#content.settle();
    return this.#content;
  }
}

/** Of what the data of a Secret holds as its trust bundle. */
export function hashOfTrustBundle(data: RawObject['data']): string {
  return shared(hashOfBundle(Buffer.from(data?.['ca.crt'] ?? '', 'base64').toString('latin1')));
}

/** In place of a list with nothing but the uid that the Secret carries anyway. */
const BY_ITS_CERTIFICATE: readonly string[] = [];

/** Facts whose proof is owed. */
class Claim {
  readonly validity: Pick<CertificateFacts, 'notBefore' | 'notAfter'>;
  /** Of what is kept for the proof, in bytes. */
  readonly weight: number;
  readonly settle: () => CertificateFacts | string;

  constructor(validity: Claim['validity'], weight: number, settle: Claim['settle']) {
    this.validity = validity;
    this.weight = weight;
    this.settle = settle;
  }
}

function claimOf(data: RawObject['data'], known: SecretContent | undefined): CertificateFacts | Claim | string {
  return orProblem(() => {
    const content = known ?? readSecretContent(data);
    if ('settle' in content) return owedPath(content);
    return content.owedProof === undefined ? factsOf(content) : owedSignature(factsOf(content), content.owedProof);
  });
}

// Apart, since a closure keeps all that its scope holds, and these stay for every ClientCertificate.
function owedSignature(facts: CertificateFacts, isTrue: () => boolean): Claim {
  return new Claim(facts, 0, () => (isTrue() ? facts : LEADS_NOWHERE));
}

function owedPath(content: OwedContent): Claim {
  const { notBefore, notAfter } = content.leaf;
  return new Claim({ notBefore, notAfter }, content.weight, () => orProblem(() => factsOf(content.settle())));
}

function orProblem<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof SecretContentError) return error.message;
    throw error;
  }
}

const NOTHING: Readonly<Record<string, string>> = Object.freeze({});

/** What a view takes whose content is settled: measured. */
const LIGHTEST = 2_500;
const LONGEST_TYPE = 253;
/** Ours is the first of those that Certwheel writes, and others rarely come at all. */
const MOST_OWNERS = 50;

/** Undefined where nothing came from a template, or where the Secret remembers nonsense. */
function keysOfTemplate(annotations: Readonly<Record<string, string>>): ReadonlySet<string> | undefined {
  const text = annotations[names.TEMPLATE_KEYS_ANNOTATION] ?? '';
  return text === '' || text.length > LONGEST_TEMPLATE_KEYS ? undefined : new Set(text.split(','));
}

/** What is not of the template isn't kept: a tenant may put a quarter of a mebibyte of it into each Secret. */
function onlyThose(
  entries: Readonly<Record<string, string>>,
  written: ReadonlySet<string>,
): Readonly<Record<string, string>> {
  const found = Object.entries(entries).filter(([key]) => written.has(key));
  return found.length === 0 ? NOTHING : briefly(Object.fromEntries(found));
}
