import type { ReferencedData } from './backend-deps.ts';

/** What a backend keeps beside its authority in a Secret of its own, which outlives the authority. */
export interface BackendState {
  /** Past every cache; undefined where there is none. Throws an AuthorityError where that Secret is another program's. */
  read(): Promise<KeptState | undefined>;
  /**
   * In place of `previous`, or where there is none yet. Throws an ApiError with the status 409 if another replica has
   * written meanwhile: what it wrote must be read again.
   */
  write(data: ReferencedData, previous: KeptState | undefined): Promise<KeptState>;
}

export interface KeptState {
  readonly data: ReferencedData;
  /** `namespace/name` of the Secret, for messages. */
  readonly place: string;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
}
