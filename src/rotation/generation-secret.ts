import type { AuthorityKind } from '../api/client-certificate.ts';
import { parseRfc3339 } from '../api/conditions.ts';
import * as names from '../api/names.ts';
import { identify, parseMeta, type RawObject } from '../api/parse.ts';
import { EXPORTING_PREFIXES } from '../certificate/decision/exported-keys.ts';
import { weightOf } from '../kube/cache/namespace-share.ts';
import { restoreCaPath } from '../pki/ca.ts';
import { restoreCaSigner } from '../pki/ca-signer.ts';
import { MAX_PEM_BYTES } from '../pki/pem.ts';
import { messageOf } from '../thrown.ts';
import { type Gate, type Generation, LIVING_STATES } from './generation.ts';
import { versionOf } from './generation-manifest.ts';

/** A Secret that claims to keep a CA generation: whose, and what it keeps, or why it can't be read. */
export interface GenerationSecret {
  readonly authority: string;
  /** Taken from its name; 0 for a name that isn't one of ours. */
  readonly version: number;
  readonly secret: Generation['secret'];
  readonly mark: GenerationMark;
  /** Made for a generation whose key has not come in yet, so that it grants nothing. */
  readonly isBlank: boolean;
  readonly holdsKey: boolean;
  readonly generation: Generation | undefined;
  readonly problem: string | undefined;
  /** Whether the two above cost nothing more. */
  readonly isRead: boolean;
  /** What it takes in memory, in bytes, roughly. */
  readonly weight: number;
}

/**
 * What a copy of the Secret can't bring along: the API server gives each object a uid of its own. So the Secret is made
 * blank, and its uid comes in together with its key.
 */
export interface GenerationMark {
  /** The generations that were in use when it was written, itself among them. */
  readonly uids: readonly string[];
  /** Where it was written; undefined on one of a version that wrote no marks. */
  readonly namespace: string | undefined;
}

/** What is read of a key, in base64: as much as the reader of CA files takes. Such Secrets are kept until they are read. */
const LONGEST = { 'tls.crt': Math.ceil((MAX_PEM_BYTES * 4) / 3) + 4, 'tls.key': 20_000 } as const;
const LONGEST_ANNOTATION = 200;
/** Those of as many generations as are read. */
const LONGEST_UIDS = 2_000;
const MOST_FINALIZERS = 10;

/** So many CAs may have been rolled back to one. */
const MOST_REJECTS = 20;
const LONGEST_REJECTS = MOST_REJECTS * 65;

/**
 * Reduces a Secret that carries AUTHORITY_NAME_LABEL. Its pair is read when the authority first needs it: that takes
 * signatures, and any user with the rights of the namespace can write such Secrets. The CA key stays in memory, as a
 * native key object.
 */
export function viewGenerationSecret(object: RawObject, controllerNamespace: string): GenerationSecret {
  return new StoredGeneration(object, controllerNamespace);
}

class StoredGeneration implements GenerationSecret {
  readonly authority: string;
  readonly version: number;
  readonly secret: Generation['secret'];
  readonly mark: GenerationMark;
  readonly isBlank: boolean;
  readonly holdsKey: boolean;
  readonly weight: number;
  #content: RawObject | Content;

  constructor(object: RawObject, controllerNamespace: string) {
    this.secret = identify(object);
    const { namespace, name } = this.secret;
    const { labels = {} } = object.metadata ?? {};
    const authorityName = labels[names.AUTHORITY_NAME_LABEL] ?? '';
    const kind = labels[names.AUTHORITY_KIND_LABEL] as AuthorityKind;
    // A cluster authority's keys count only where its operators alone can put them.
    const isCluster = kind === 'ClusterCertificateAuthority' && namespace === controllerNamespace;
    this.authority = isCluster ? `${kind}/${authorityName}` : `CertificateAuthority/${namespace}/${authorityName}`;
    const isMisplaced = kind === 'ClusterCertificateAuthority' && !isCluster;
    this.version = isMisplaced ? 0 : (versionOf(kind, authorityName, name) ?? 0);
    this.mark = markOf(object);
    this.holdsKey = Boolean(object.data?.['tls.crt'] || object.data?.['tls.key']);
    this.isBlank = this.version > 0 && !this.holdsKey && canBeFilled(object);
    const problem =
      this.version === 0 ? `its name is not that of a CA generation of ${authorityName}` : sizeProblem(object);
    this.#content = problem === undefined ? needed(object) : unusable(object, problem);
    this.weight = weightOf(this.#content) + weightOf(this.mark);
  }

  get isRead(): boolean {
    return 'problem' in this.#content;
  }

  get generation(): Generation | undefined {
    return this.#read().generation;
  }

  get problem(): string | undefined {
    return this.#read().problem;
  }

  #read(): Content {
    if (!('problem' in this.#content)) this.#content = contentOf(this.#content, this);
    return this.#content;
  }
}

/** Otherwise a key could not come in, would be gone at once, or would be copied. */
function canBeFilled({ metadata = {}, type, immutable }: RawObject): boolean {
  const { labels = {}, annotations = {}, finalizers = [], deletionTimestamp } = metadata;
  const isCopied = Object.keys({ ...labels, ...annotations }).some((key) =>
    EXPORTING_PREFIXES.some((prefix) => key.startsWith(prefix)),
  );
  return (
    type === 'kubernetes.io/tls' &&
    immutable !== true &&
    deletionTimestamp === undefined &&
    finalizers.length === 0 &&
    !isCopied
  );
}

type Content = Pick<GenerationSecret, 'generation' | 'problem'>;

function contentOf(object: RawObject, { version, secret, mark }: GenerationSecret): Content {
  const created = parseRfc3339(parseMeta(object).createdAt) ?? new Date(0);
  const { annotations = {} } = object.metadata ?? {};
  try {
    const held = heldProblem(object);
    // Where it doesn't sign it is as good as gone, but for its key.
    if (held !== undefined && annotations[names.GENERATION_STATE_ANNOTATION] !== 'Active')
      return { generation: undefined, problem: held };
    const state = LIVING_STATES.find((each) => each === annotations[names.GENERATION_STATE_ANNOTATION]);
    const since = parseRfc3339(annotations[names.GENERATION_SINCE_ANNOTATION]);
    const path = restoreCaPath(text(object, 'tls.crt'));
    const issuerRef = annotations[names.GENERATION_ISSUER_ANNOTATION];
    const isElsewhere = issuerRef !== undefined && text(object, 'tls.key') === '';
    const generation = {
      version,
      // Annotations that were damaged make it neither sign nor disappear; the plan goes on from there.
      state: state ?? ('Retiring' as const),
      // That of another state would say that it signed nothing since.
      since: (state && since) ?? created,
      created,
      mark: mark.uids.includes(secret.uid) ? ('whole' as const) : ('none' as const),
      source: annotations[names.GENERATION_SOURCE_ANNOTATION] ?? '',
      preparedAt: parseRfc3339(annotations[names.GENERATION_PREPARED_ANNOTATION]),
      gate: gateFrom(annotations[names.GENERATION_GATE_ANNOTATION]),
      rejects: (annotations[names.GENERATION_REJECTS_ANNOTATION] ?? '').split(',').filter((each) => each !== ''),
      rejectedMadeAt: parseRfc3339(annotations[names.GENERATION_REJECTED_ANNOTATION]),
      // It was valid when it was accepted; whether it still is, is asked before it signs.
      path,
      signer: isElsewhere ? undefined : restoreCaSigner(path.certificate, text(object, 'tls.key')),
      issuerRef: issuerRef || undefined,
      secret,
    };
    return { generation, problem: held };
  } catch (error) {
    return unusable(object, messageOf(error));
  }
}

const GATES = ['Trusted', 'Active', 'Retired'] as const;

function gateFrom(text: string | undefined): Gate | undefined {
  const [name, moment] = (text ?? '').split(' ');
  const to = GATES.find((each) => each === name);
  const since = parseRfc3339(moment);
  return to === undefined || since === undefined ? undefined : { to, since };
}

function markOf({ metadata: { annotations = {} } = {} }: RawObject): GenerationMark {
  const uids = annotations[names.GENERATION_UIDS_ANNOTATION] ?? '';
  const namespace = annotations[names.GENERATION_NAMESPACE_ANNOTATION];
  return {
    uids: uids === '' || uids.length > LONGEST_UIDS ? [] : uids.split(','),
    namespace: namespace === undefined || namespace.length > LONGEST_ANNOTATION ? undefined : namespace,
  };
}

function unusable({ metadata: { namespace, name } = {} }: RawObject, problem: string): Content {
  return { generation: undefined, problem: `Secret ${namespace}/${name} can't be used: ${problem}` };
}

function sizeProblem({ data = {} }: RawObject): string | undefined {
  const [key] = Object.entries(LONGEST).find(([each, longest]) => (data[each]?.length ?? 0) > longest) ?? [];
  return key && `its key ${key} is larger than that of any CA generation`;
}

/** Without all that is never read, which may be a mebibyte in each of thousands of Secrets. */
function needed({ metadata = {}, data = {} }: RawObject): RawObject {
  const { namespace, name, uid, resourceVersion, creationTimestamp, deletionTimestamp, finalizers } = metadata;
  const marks = [
    names.GENERATION_STATE_ANNOTATION,
    names.GENERATION_SINCE_ANNOTATION,
    names.GENERATION_SOURCE_ANNOTATION,
    names.GENERATION_ISSUER_ANNOTATION,
    names.GENERATION_PREPARED_ANNOTATION,
    names.GENERATION_GATE_ANNOTATION,
    names.GENERATION_REJECTS_ANNOTATION,
    names.GENERATION_REJECTED_ANNOTATION,
  ].flatMap((each) => {
    const value = metadata.annotations?.[each];
    const longest = each === names.GENERATION_REJECTS_ANNOTATION ? LONGEST_REJECTS : LONGEST_ANNOTATION;
    return value === undefined || value.length > longest ? [] : [[each, value] as const];
  });
  return {
    metadata: {
      ...{ namespace, name, uid, resourceVersion, creationTimestamp, deletionTimestamp },
      finalizers: finalizers?.slice(0, MOST_FINALIZERS),
      annotations: Object.fromEntries(marks),
    },
    data: { 'tls.crt': data['tls.crt'] ?? '', 'tls.key': data['tls.key'] ?? '' },
  } as RawObject;
}

/** What is to be said of a generation that is being deleted while finalizers hold its Secret. */
function heldProblem({ metadata = {} }: RawObject): string | undefined {
  const { namespace, name, annotations = {}, deletionTimestamp, finalizers = [] } = metadata;
  if (deletionTimestamp === undefined) return undefined;
  const effect =
    annotations[names.GENERATION_STATE_ANNOTATION] === 'Active'
      ? 'the CA that signs is lost'
      : 'the key of the former CA is deleted';
  return `Secret ${namespace}/${name} is being deleted; ${effect} as soon as these finalizers are gone: ${finalizers.join(', ')}`;
}

function text(object: RawObject, key: string): string {
  return Buffer.from(object.data?.[key] ?? '', 'base64').toString('latin1');
}
