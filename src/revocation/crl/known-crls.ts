import type { CertificateAuthority } from '../../api/certificate-authority.ts';
import type { CrlView } from '../../pki/read-crl.ts';

/** What is known of the CRLs of one authority, by the version of each CA generation. */
export interface CrlState {
  readonly crls: ReadonlyMap<number, CrlView>;
  /** Why one is not published, or could not be signed anew, as sentences. */
  readonly problems: ReadonlyMap<number, string>;
  /** Why it is not known what is published; undefined where that is known. */
  readonly unread: string | undefined;
}

/** The CRLs of all authorities as they were published last, without a question to the API server. */
export class KnownCrls {
  readonly #onChange: (resource: CertificateAuthority) => void;
  /** By the uid of the authority. */
  readonly #states = new Map<string, CrlState>();

  constructor(onChange: (resource: CertificateAuthority) => void) {
    this.#onChange = onChange;
  }

  /** Undefined before the first look at the authority. */
  stateOf(uid: string): CrlState | undefined {
    return this.#states.get(uid);
  }

  note(resource: CertificateAuthority, state: CrlState): void {
    const before = this.#states.get(resource.uid);
    this.#states.set(resource.uid, state);
    if (before === undefined || !isSame(before, state)) this.#onChange(resource);
  }

  /** What was known before counts on. */
  failed(resource: CertificateAuthority, problem: string): void {
    const known = this.#states.get(resource.uid);
    if (known === undefined || known.unread !== undefined)
      this.note(resource, { crls: new Map(), problems: new Map(), unread: problem });
  }

  forget(uid: string): void {
    this.#states.delete(uid);
  }
}

function isSame(one: CrlState, other: CrlState): boolean {
  return (
    one.unread === other.unread &&
    one.crls.size === other.crls.size &&
    [...one.crls].every(([version, { der }]) => other.crls.get(version)?.der.equals(der) === true) &&
    one.problems.size === other.problems.size &&
    [...one.problems].every(([version, problem]) => other.problems.get(version) === problem)
  );
}
