/** An authority with a real CA key. Its requests are effects of a journal, so that each can be made to fail. */
import type { Backend, Capabilities, Issued, IssueRequest, Pending } from '../../src/backends/backend.ts';
import type { AuthorityView } from '../../src/certificate/authority-view.ts';
import { DeniedError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import { root } from '../pki/make.ts';
import { after, DAY, RUN } from './builders.ts';
import type { FakeClock } from './fake-clock.ts';
import type { Journal } from './journal.ts';
import { anOwnAuthority } from './own-authority.ts';

export const ca = await root({ notBefore: after(-400 * DAY), notAfter: after(4000 * DAY) });

/** The answer in place of that of the authority; undefined lets the authority answer. */
type Answered = Issued | Pending | undefined;
export type Answer = (request: IssueRequest) => Answered | Promise<Answered>;

export class JournaledAuthority {
  /** The requests that the authority got. */
  readonly asked: IssueRequest[] = [];
  readonly view: AuthorityView;
  readonly backend: Backend;
  answer: Answer = () => undefined;
  /** Whether the authority denies requests. */
  isDenying = false;
  /** How many certificates the authority has signed. */
  signed = 0;

  constructor(clock: FakeClock, journal: Journal, log: Logger, capabilities: Partial<Capabilities>) {
    const own = anOwnAuthority([ca], clock, undefined, log);
    this.view = { ...own.view, capabilities: { ...own.view.capabilities, ...capabilities } };
    const isIdempotent = this.view.capabilities.persistKey;
    const books = new Map<string, Issued>();
    const sign = async (request: IssueRequest) => {
      this.asked.push(request);
      if (this.isDenying) throw new DeniedError('RequestDenied', 'not you');
      const answer = (await this.answer(request)) ?? books.get(request.id);
      if (answer !== undefined) return answer;
      const issued = (await own.backend.issue(request, RUN.signal)) as Issued;
      // An authority with stored requests answers the same request with the same certificate.
      if (isIdempotent) books.set(request.id, issued);
      this.signed += 1;
      journal.note('signed');
      return issued;
    };
    this.backend = {
      ...own.backend,
      issue: (request) => journal.effect('asked', () => sign(request)),
      ...(isIdempotent ? { forget: () => journal.effect('request forgotten', () => {}) } : {}),
    };
  }
}
