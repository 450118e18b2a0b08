/** The effects of one reconcile run and their order, for each state of the cluster. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, root } from '../../test/pki/make.ts';
import { aCertificate, DAY, HOUR, MINUTE } from '../../test/unit/builders.ts';
import { CertificateWorld, refusal } from '../../test/unit/certificate-world.ts';
import { ca } from '../../test/unit/journaled-authority.ts';
import { foreignWrite } from '../../test/unit/stored-bytes.ts';
import type { RawObject } from '../api/parse.ts';
import type { Capabilities } from '../backends/backend.ts';
import { AuthorityError, classify, DeniedError, RetryableError } from '../errors.ts';
import { bundleOf } from '../pki/bundle.ts';

const coming = await root({ commonName: 'Coming' });
const foreign = await leaf(ca);

/** Issue by a CA key that Certwheel holds. */
const ISSUE = ['leading', 'audit', 'signed', 'asked', 'leading', 'Secret'];
/** Issue with a private key that is kept in the Secret NAME-next, and the removal of that Secret afterwards. */
const ISSUE_DURABLY = ['leading', 'next', ...ISSUE];
const TIDY = ['leading', 'request forgotten', 'leading', 'next removed'];
const REPAIR = ['leading', 'Secret'];
const REPORT = ['shown', 'status'];
const LATER: Partial<Capabilities> = { persistKey: true, remote: true };
const WAIT = { ticket: 'T', pollAfterMs: MINUTE, message: 'waiting for approval' };

interface Case {
  /** The ClientCertificate; one with the fewest fields by default. */
  readonly raw?: RawObject;
  readonly capabilities?: Partial<Capabilities>;
  /** What happens before the run. */
  before?(world: CertificateWorld): void | Promise<void>;
  readonly lines: readonly string[];
  /** The conditions Ready, Issuing and Stalled after it. */
  readonly conditions: readonly (string | undefined)[];
  /** The outcome; a number stands for a moment so many milliseconds ahead. */
  readonly outcome: 'again' | 'rest' | 'rest until' | number;
}

const NONE = [undefined, undefined, undefined];
const WELL = { conditions: ['True Issued'], outcome: 'rest until' } as const;

const settled = (change: (world: CertificateWorld) => void | Promise<void> = () => {}) => ({
  before: async (world: CertificateWorld) => {
    await world.settle();
    await change(world);
  },
});

/** The authority fails with this error; the next attempt is `inMs` ahead. */
const refused = (error: Error, inMs: number): Case => ({
  before: ({ journal }) => journal.refuse('asked', error),
  lines: ['leading', 'asked refused', `failed ${classify(error).code}`, ...REPORT, 'event Retrying'],
  conditions: [`False ${classify(error).code}`, 'True Retrying'],
  outcome: inMs,
});

const CASES: Readonly<Record<string, Case>> = {
  'a new resource': {
    lines: [...ISSUE, ...REPORT],
    ...WELL,
  },
  'a valid certificate that is not due': { ...settled(), lines: ['shown'], ...WELL },
  'a certificate that is due: a routine renewal writes no event': {
    ...settled(({ clock }) => clock.advance(DAY / 2)),
    lines: [...ISSUE, ...REPORT],
    ...WELL,
  },
  'another spec': {
    ...settled((world) =>
      world.edit({ metadata: { generation: 2 }, spec: aCertificate({ dnsNames: ['new.example.com'] }).raw.spec }),
    ),
    lines: [...ISSUE, 'event Renewed', ...REPORT],
    ...WELL,
  },
  'a Secret that was deleted': {
    ...settled(({ store }) => {
      store.object = undefined;
    }),
    lines: [...ISSUE, 'event Renewed', ...REPORT],
    ...WELL,
  },
  'a Secret whose tls.key was emptied': {
    ...settled(({ store }) => {
      const { data } = store.object as RawObject;
      store.object = foreignWrite(store.object as RawObject, { data: { ...data, 'tls.key': '' } });
    }),
    lines: [...ISSUE, 'event Renewed', ...REPORT],
    ...WELL,
  },
  'a new CA in the trust bundle: a repair without a signature and without a status write': {
    ...settled((world) => {
      world.authority = { ...world.ca.view, trust: bundleOf([ca.certificate, coming.certificate]) };
    }),
    lines: [...REPAIR, 'shown'],
    ...WELL,
  },
  'another template': {
    ...settled((world) =>
      world.edit({
        metadata: { generation: 2 },
        spec: aCertificate({ secretTemplate: { labels: { a: 'b' } } }).raw.spec,
      }),
    ),
    lines: [...REPAIR, ...REPORT],
    ...WELL,
  },
  'a Secret that Certwheel does not own': {
    before: async ({ store }) => {
      const metadata = { namespace: 'team', name: 'client-tls', uid: 'x', resourceVersion: '5' };
      store.object = { metadata, type: 'kubernetes.io/tls', data: {} };
    },
    lines: [...REPORT, 'event SecretNotOwned'],
    conditions: ['False SecretNotOwned', undefined, 'True SecretNotOwned'],
    outcome: 'rest',
  },
  'a suspended resource': {
    raw: aCertificate().suspended().raw,
    lines: REPORT,
    conditions: ['False Suspended'],
    outcome: 'rest',
  },
  'a resource that the schema refuses': {
    raw: aCertificate({ duration: 'long' }).raw,
    lines: REPORT,
    conditions: ['False InvalidSpec', undefined, 'True InvalidSpec'],
    outcome: 'rest',
  },
  'an authority that does not exist': {
    before: (world) => {
      world.authority = 'AuthorityNotFound';
    },
    lines: [...REPORT, 'event AuthorityNotFound'],
    conditions: ['False AuthorityNotFound', 'True AuthorityNotFound'],
    outcome: 'rest',
  },
  'an authority that has not been reconciled yet: no status write for a passing state': {
    before: (world) => {
      world.authority = 'AuthorityNotSeen';
    },
    lines: ['shown'],
    conditions: [],
    outcome: 'rest',
  },
  'an authority that is not ready gets no request': {
    before: (world) => {
      world.authority = { ...world.ca.view, trouble: { code: 'CAExpired', message: 'it ended' } };
    },
    lines: [...REPORT, 'event AuthorityNotReady'],
    conditions: ['False AuthorityNotReady', 'True AuthorityNotReady'],
    outcome: 'rest',
  },
  'an authority that is unreachable': refused(new AuthorityError('AuthorityUnreachable', 'refused'), 1_000),
  'an authority that answers with Retry-After': refused(
    new RetryableError('AuthorityBusy', 'later', { retryAfterMs: 77_000 }),
    77_000,
  ),
  'a denial by an authority without a stored request is retried in an hour': refused(
    new DeniedError('RequestDenied', 'not you'),
    3_600_000,
  ),
  'an unexpected error': refused(new TypeError('x is undefined'), 1_000),
  'a certificate for another public key than the requested one is not published': {
    before: (world) => {
      world.ca.answer = () => ({ chain: [foreign.certificate] });
    },
    lines: ['leading', 'asked', 'failed InvalidAnswer', ...REPORT, 'event Retrying'],
    conditions: ['False InvalidAnswer', 'True Retrying'],
    outcome: 1_000,
  },
  'a read that the API server forbids': {
    before: ({ journal }) => journal.refuse('observe', refusal(403)),
    lines: ['failed Forbidden', ...REPORT, 'event Retrying'],
    conditions: ['False Forbidden', 'True Retrying'],
    outcome: 1_000,
  },
  'an authority that may answer later and answers at once': {
    capabilities: LATER,
    lines: [...ISSUE_DURABLY, ...REPORT, ...TIDY],
    ...WELL,
  },
  'an authority that answers later': {
    capabilities: LATER,
    before: (world) => {
      world.ca.answer = () => WAIT;
    },
    lines: ['leading', 'next', 'leading', 'asked', 'leading', 'next', ...REPORT],
    conditions: ['False Pending', 'True Pending'],
    outcome: MINUTE,
  },
  'a denial is stored with the request before it is reported, and holds for an hour': {
    capabilities: LATER,
    before: ({ journal }) => journal.refuse('asked', new DeniedError('RequestDenied', 'not you')),
    lines: [
      ...['leading', 'next', 'leading', 'asked refused', 'leading', 'next', 'leading', 'request forgotten'],
      ...['failed RequestDenied', ...REPORT, 'event RequestDenied'],
    ],
    conditions: ['False RequestDenied', undefined, 'True RequestDenied'],
    outcome: HOUR,
  },
};

for (const [what, { raw, capabilities, before, lines, conditions, outcome }] of Object.entries(CASES))
  test(what, async () => {
    const world = new CertificateWorld(structuredClone(raw), capabilities);
    await before?.(world);
    const { length } = world.journal.lines;
    const ended = await world.run();
    assert.equal(world.journal.since(length), lines);
    assert.equal(
      ['Ready', 'Issuing', 'Stalled'].map((type) => world.condition(type)),
      [...conditions, ...NONE].slice(0, 3),
    );
    if (ended instanceof Error) throw ended;
    const at = ended.do === 'retry' ? ended.at : ended.do === 'rest' ? ended.recheckAt : undefined;
    const inMs = at && at.getTime() - world.clock.now().getTime();
    const told = at === undefined ? ended.do : `${ended.do} until`;
    assert.equal(typeof outcome === 'number' ? inMs : told, outcome);
    world.told.assertNoKey();
    // A second run changes nothing and signs nothing.
    const { length: then } = world.journal.lines;
    await world.run();
    assert.equal(world.journal.since(then), ['shown']);
  });

test('each certificate that is published is announced once, and a repair is not', async () => {
  const world = new CertificateWorld();
  await world.settle();
  await world.clock.advance(DAY / 2);
  await world.settle();
  const { fingerprintSHA256 } = world.store.view()?.certificate ?? {};
  assert.equal(
    world.published.map(({ key, revision }) => `${key} ${revision}`),
    ['team/client 1', 'team/client 2'],
  );
  assert.is(world.published[1]?.fingerprintSHA256, fingerprintSHA256);
  world.edit({ spec: { ...(aCertificate().raw.spec as object), secretTemplate: { labels: { a: 'b' } } } });
  await world.settle();
  assert.is(world.published.length, 2);
});

test.run();
