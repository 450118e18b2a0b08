import { authorityConditions, authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import type { NewCondition } from '../api/conditions.ts';
import type { TrustStatus } from '../api/generated/types.ts';
import { wantsCrls } from './complete.ts';
import { TargetsMemory } from './memory.ts';
import type { Survey } from './survey.ts';
import { CRLS_INCOMPLETE, crlCondition } from './target-crls.ts';

/** What the last run has found, for each authority by its key. */
export class TargetResults {
  readonly #surveys = new Map<string, Survey>();
  readonly #statuses = new Map<string, TrustStatus>();
  readonly #memories = new Map<string, TargetsMemory>();
  /** Why objects of no target any more could not be deleted last, by authority and id. */
  readonly #undeleted = new Map<string, Map<string, string>>();

  survey(key: string): Survey | undefined {
    return this.#surveys.get(key);
  }

  set(key: string, survey: Survey, status: TrustStatus): void {
    this.#surveys.set(key, survey);
    this.#statuses.set(key, status);
  }

  /** The same where another replica reports them. */
  follow(key: string, survey: Survey): void {
    this.#surveys.set(key, survey);
  }

  memoryOf(key: string): TargetsMemory {
    const known = this.#memories.get(key) ?? new TargetsMemory();
    this.#memories.set(key, known);
    return known;
  }

  forget(key: string): void {
    this.#surveys.delete(key);
    this.#statuses.delete(key);
    this.#memories.delete(key);
  }

  /** Whether it is news that an object of no target any more can't be deleted for that reason. */
  isNewRefusal(key: string, id: string, message: string): boolean {
    const known = this.#undeleted.get(key) ?? new Map<string, string>();
    this.#undeleted.set(key, known);
    const isNew = known.get(id) !== message;
    known.set(id, message);
    return isNew;
  }

  /** Whether it could not be deleted when it was tried last. */
  wasRefused(key: string, id: string): boolean {
    return this.#undeleted.get(key)?.has(id) === true;
  }

  /** So it was, or there is no such authority any more. */
  deleted(key: string, id?: string): void {
    const known = this.#undeleted.get(key);
    if (id !== undefined) known?.delete(id);
    if (id === undefined || known?.size === 0) this.#undeleted.delete(key);
  }

  /** The condition of the authority about the CRLs in its targets: as it stands while nothing newer is known. */
  crlCondition(resource: CertificateAuthority): NewCondition[] {
    if (!wantsCrls(resource)) return [];
    const survey = this.#surveys.get(authorityKey(resource));
    if (survey === undefined)
      return authorityConditions(resource.status).filter(({ type }) => type === CRLS_INCOMPLETE);
    return survey.crls === undefined ? [] : crlCondition(survey.crls, survey.crls.tooLarge);
  }

  /** As the authority reports it: what it has reported before while nothing newer is known. */
  status({ trustTargets, status, ...resource }: CertificateAuthority): TrustStatus | undefined {
    return trustTargets.length === 0 ? undefined : (this.#statuses.get(authorityKey(resource)) ?? status.trust);
  }
}
