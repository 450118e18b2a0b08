import { parseRfc3339 } from '../../api/conditions.ts';
import { formatDuration, parseDuration } from '../../api/duration.ts';
import * as names from '../../api/names.ts';
import { shared } from '../../api/shared.ts';
import { brief } from './brief.ts';
import { issuerApart, MOST_LEDGER_BYTES, nextLedger, readLedger } from './ledger.ts';
import { readOutputs } from './outputs.ts';

/** What a Secret remembers, in annotations, of the certificate that it holds: it must outlive status. */
export interface SecretMemory {
  readonly revision: number;
  readonly authority: string | undefined;
  /** The fallback that signed in place of the authority, as `CertificateAuthority/name`. */
  readonly issuedBy?: string | undefined;
  readonly authorityGeneration: number | undefined;
  readonly requestedDurationMs: number | undefined;
  readonly issuedAt: Date | undefined;
  /** The certificates that are still valid, as text: see readLedger. */
  readonly ledger: string;
  /** Those that came from a template, brief: see templateKeys. */
  readonly templateKeys: string;
  /** See outputsDigest; in what is written, see writeOutputs. */
  readonly outputs: string;
}

/** What comes from the certificate and its authority; the rest follows from the spec when the Secret is written. */
export type CertificateMemory = Omit<SecretMemory, 'templateKeys' | 'outputs'>;

type Annotations = Readonly<Record<string, string>>;

/** But for the ledger and the keys of the template, Certwheel writes nothing longer. */
const LONGEST = 1_024;
/** A template has 32 labels and 32 annotations at most, and the longest key has 317 characters. */
export const LONGEST_TEMPLATE_KEYS = 64 * 318;

/** The value of an annotation of ours; undefined for one that is longer than any that Certwheel writes. */
export function shortOnly(value: string | undefined, longest = LONGEST): string | undefined {
  return value === undefined || value.length > longest ? undefined : value;
}

/** Damaged annotations are as good as none. */
export function readMemory(annotations: Annotations): SecretMemory {
  return new AnnotatedMemory(annotations);
}

/** Texts as they are, read when they are asked for: that takes a fifth of the memory, and most never are. */
class AnnotatedMemory implements SecretMemory {
  readonly #revision: string | undefined;
  readonly #authority: string | undefined;
  readonly #issuedBy: string | undefined;
  readonly #authorityGeneration: string | undefined;
  readonly #requestedDurationMs: number | undefined;
  readonly #issuedAtMs: number | undefined;
  readonly #templateKeys: string | undefined;
  readonly #outputs: string | undefined;
  readonly #issuer: string;
  readonly #certificates: string;

  constructor(annotations: Annotations) {
    this.#revision = shortOnly(annotations[names.REVISION_ANNOTATION]);
    this.#authority = shared(shortOnly(annotations[names.AUTHORITY_ANNOTATION]));
    this.#issuedBy = shared(authorityNameIn(annotations[names.ISSUED_BY_ANNOTATION]));
    this.#authorityGeneration = shortOnly(annotations[names.AUTHORITY_GENERATION_ANNOTATION]);
    this.#requestedDurationMs = parseDuration(shortOnly(annotations[names.REQUESTED_DURATION_ANNOTATION]) ?? '');
    this.#issuedAtMs = parseRfc3339(shortOnly(annotations[names.ISSUED_AT_ANNOTATION]))?.getTime();
    const templateKeys = shortOnly(annotations[names.TEMPLATE_KEYS_ANNOTATION], LONGEST_TEMPLATE_KEYS);
    this.#templateKeys = templateKeys === undefined ? undefined : shared(brief(templateKeys));
    this.#outputs = shared(readOutputs(shortOnly(annotations[names.OUTPUTS_ANNOTATION])).digest || undefined);
    const [issuer, certificates] = issuerApart(ledgerOf(annotations));
    this.#issuer = shared(issuer);
    // Takes a string copy: a slice would retain the whole text.
    this.#certificates = Buffer.from(certificates).toString();
  }

  get revision(): number {
    return countOf(this.#revision) ?? 0;
  }

  get authority(): string | undefined {
    return this.#authority;
  }

  get issuedBy(): string | undefined {
    return this.#issuedBy;
  }

  get authorityGeneration(): number | undefined {
    return countOf(this.#authorityGeneration);
  }

  get requestedDurationMs(): number | undefined {
    return this.#requestedDurationMs;
  }

  get issuedAt(): Date | undefined {
    return this.#issuedAtMs === undefined ? undefined : new Date(this.#issuedAtMs);
  }

  get ledger(): string {
    return this.#issuer + this.#certificates;
  }

  get templateKeys(): string {
    return this.#templateKeys ?? '';
  }

  get outputs(): string {
    return this.#outputs ?? '';
  }
}

/** From 1; undefined for anything else, so that a damaged annotation never gets into status, which would be refused. */
function countOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}

/** Undefined for anything else, since it is shown in the status, which has a schema. */
function authorityNameIn(text: string | undefined): string | undefined {
  return text !== undefined && /^(Cluster)?CertificateAuthority\/[-a-z0-9.]{1,50}$/.test(text) ? text : undefined;
}

function ledgerOf(annotations: Annotations): string {
  const text = shortOnly(annotations[names.SERIALS_ANNOTATION], MOST_LEDGER_BYTES) ?? '';
  const externalId = shortOnly(annotations[names.EXTERNAL_ID_ANNOTATION]);
  const [newest] = externalId === undefined ? [] : readLedger(text).entries;
  // Former versions kept the external id of the newest certificate in an annotation of its own.
  return newest === undefined ? text : nextLedger(text, [{ externalId, ...newest }], NOTHING_EXPIRED);
}

const NOTHING_EXPIRED = new Date(0);

/** The annotations that keep `memory`; what it doesn't know has none. */
export function writeMemory(memory: SecretMemory): Record<string, string> {
  const annotations: Record<string, string | undefined> = {
    [names.REVISION_ANNOTATION]: String(memory.revision),
    [names.AUTHORITY_ANNOTATION]: memory.authority,
    [names.ISSUED_BY_ANNOTATION]: memory.issuedBy,
    [names.AUTHORITY_GENERATION_ANNOTATION]:
      memory.authorityGeneration === undefined ? undefined : String(memory.authorityGeneration),
    [names.REQUESTED_DURATION_ANNOTATION]:
      memory.requestedDurationMs === undefined ? undefined : formatDuration(memory.requestedDurationMs),
    [names.ISSUED_AT_ANNOTATION]: memory.issuedAt?.toISOString(),
    [names.SERIALS_ANNOTATION]: memory.ledger,
    [names.TEMPLATE_KEYS_ANNOTATION]: memory.templateKeys,
    [names.OUTPUTS_ANNOTATION]: memory.outputs || undefined,
  };
  return Object.fromEntries(
    Object.entries(annotations).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
