import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES, resourcePath, SECRETS } from '../../../src/api/names.ts';
import type { AuthorityDefinition } from '../../../src/authorities/authority.ts';
import { parseCertificates } from '../../../src/pki/certificate.ts';
import { FORGERIES, ODDITIES } from '../../forgeries/forgeries.ts';
import type { Forge, Forgery } from '../../forgeries/forgery.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import { renewAt } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, create, mounted } from '../support/objects.ts';
import { opensslAccepts } from '../support/secret-proof.ts';
import { faultsOfHistory, issuances, type StoredCertificate } from '../support/secret-witness.ts';
import { type Witness, witness } from '../support/witness.ts';
import { eventually } from '../support/world.ts';
import type { Stage } from './lies.ts';
import type { Place } from './subject.ts';

/** One kind of authority, and in what it differs. */
export interface Backend {
  readonly definition: Pick<AuthorityDefinition<never>, 'type' | 'capabilities'>;
  /** Forgeries that can't be made here, with the reason. */
  readonly impossible?: Readonly<Record<string, string>>;
  /** Those that the server itself refuses, with part of what it says: they never come to Certwheel. */
  readonly refusedBefore?: Readonly<Record<string, string>>;
  /** What is said of a forgery in other words than those of the table. */
  readonly says?: Readonly<Record<string, string>>;
  /** Wrong answers of this backend alone. */
  readonly more?: readonly Row[];
  stage(): Promise<Stage>;
}

/** Each row has a namespace, an authority and two certificates of its own; so many are under way at once. */
const AT_ONCE = 16;
const WAIT_MS = 60_000;
const LOOK_AGAIN_MS = 200;
/** On a machine with more to do than cores; what each answer costs is for src/certificate/dear-answers.test.ts. */
const LONGEST_STALL_SECONDS = 2;
const LONGEST_LOG_LINE = 16_384;
const LONGEST_MESSAGE = 1_024;

export interface Theatre extends Stage {
  readonly secrets: Witness;
  readonly certificates: Witness<StoredCertificate>;
}

export interface Row {
  readonly name: string;
  readonly verdict: string;
  /** `at` is a number that no other row has. */
  play(at: number, where: Theatre): Promise<void>;
}

/** Every forgery as an answer of this kind of authority, to a renewal and to a first request: none reaches a Secret. */
export function wrongAnswers(backend: Backend): void {
  const { type } = backend.definition;
  const theatre = lazily(() => open(backend));
  test.after(theatre.stop);
  const rows = rowsOf(backend);
  let outcomes: Promise<readonly Promise<void>[]> | undefined;
  const outcomeOf = async (at: number) => {
    outcomes ??= theatre.get().then((where) => inLanes(rows.length, (row) => rows[row]?.play(row, where)));
    return (await outcomes)[at];
  };

  for (const [name, reason] of Object.entries(backend.impossible ?? {})) test.skip(`${name}: ${reason}`, () => {});
  for (const [at, { name, verdict }] of rows.entries()) test(`${type}: ${name} ${verdict}`, () => outcomeOf(at));
  test(`${type}: all the while it lived, went on, and kept its log short`, async () => {
    const { controller } = await theatre.get();
    assert.is(await Promise.race([controller.exited, 'alive']), 'alive');
    const stall = await metric(controller, 'nodejs_eventloop_lag_max_seconds');
    const resident = await metric(controller, 'process_resident_memory_bytes');
    console.log(`\n# largest stall ${Math.round(stall * 1_000)} ms, ${Math.round(resident / 2 ** 20)} MB resident`);
    assert.ok(stall < LONGEST_STALL_SECONDS, `the event loop stood still for ${stall} s`);
    for (const line of controller.logs) assert.ok(JSON.stringify(line).length < LONGEST_LOG_LINE, line.message);
  });
}

function rowsOf(backend: Backend): Row[] {
  const { impossible = {}, refusedBefore = {}, more = [], definition } = backend;
  // What is rounded may come out longer than asked for.
  const isRounded = definition.capabilities.lifetime === 'rounded';
  const forgeries = Object.entries(FORGERIES).filter(([name]) => impossible[name] === undefined);
  const takenRow = (name: string, forge: Forge): Row => ({
    name,
    verdict: 'is taken',
    play: (at, where) => taken(at, where, forge),
  });
  return [
    ...forgeries.map(([name, forgery]): Row => {
      if (isRounded && name === 'a longer life than asked for') return takenRow(name, forgery.forge);
      const first = refusedBefore[name] === undefined ? '' : 'is refused by the server, and ';
      return {
        name,
        verdict: `${first}reaches no Secret`,
        play: (at, where) => refused(at, where, name, forgery, backend),
      };
    }),
    ...Object.entries(ODDITIES).map(([name, forge]) => takenRow(name, forge)),
    ...more,
  ];
}

async function open({ stage }: Backend): Promise<Theatre & { stop(): Promise<void> }> {
  const started = await stage();
  const { world, controller } = started;
  const [secrets, certificates] = await Promise.all([
    witness(world, resourcePath(SECRETS)),
    witness<StoredCertificate>(world, resourcePath(CLIENT_CERTIFICATES)),
  ]);
  // The greatest since the last scrape: what it took to start doesn't count.
  await controller.metrics();
  return {
    ...started,
    secrets,
    certificates,
    stop: async () => {
      secrets.stop();
      certificates.stop();
      await started.stop();
    },
  };
}

/** Begins as many as may be under way at once; answers how each of them ends. */
function inLanes(count: number, run: (index: number) => Promise<void> | undefined): readonly Promise<void>[] {
  const waiting = Array.from({ length: count }, (_, index) => ({ index, ...Promise.withResolvers<void>() }));
  const promises = waiting.map(({ promise }) => promise);
  // Whoever asks hears of it, which may be long after it failed.
  for (const promise of promises) promise.catch(() => {});
  const lane = async () => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift())
      await run(task.index)?.then(task.resolve, task.reject);
  };
  for (let lanes = 0; lanes < AT_ONCE; lanes++) void lane();
  return promises;
}

async function refused(
  at: number,
  where: Theatre,
  row: string,
  { forge, says, onlyRenewal = false }: Forgery,
  backend: Backend,
): Promise<void> {
  const { lies, controller, secrets } = where;
  const [held, fresh] = [`held-${at}`, freshName(at)];
  const place = await where.place();
  await create(place.world, wanted(place, held));
  const before = await untilIssued(where, held, 1);
  const subjects = onlyRenewal ? [held] : [held, fresh];
  for (const name of subjects) lies.tell(name, forge, before.leaf.serialNumber);
  await ask(place, held, onlyRenewal ? undefined : fresh);

  const refusedBefore = backend.refusedBefore?.[row];
  for (const name of subjects) {
    if (refusedBefore !== undefined)
      await until(
        `${name} is refused with: ${refusedBefore}`,
        () => where.refusal?.(name)?.includes(refusedBefore) || undefined,
      );
    else await untilFailed(where, name, backend.says?.[row] ?? says);
  }
  proveHistory(where, held, 1);
  assert.equal(secrets.versions(`${fresh}-tls`), []);

  for (const name of subjects) lies.tellTheTruth(name);
  for (const name of subjects) {
    const count = name === held ? 2 : 1;
    await untilIssued(where, name, count);
    proveHistory(where, name, count);
  }
  assert.is(await Promise.race([controller.exited, 'alive']), 'alive');
}

async function taken(at: number, where: Theatre, forge: Forge): Promise<void> {
  const name = freshName(at);
  let told: { readonly chain: readonly unknown[]; readonly intermediate: string } | undefined;
  where.lies.tell(name, (honest) => {
    const chain = forge(honest);
    told = { chain, intermediate: honest.intermediate.pem };
    return chain;
  });
  const place = await where.place();
  await create(place.world, wanted(place, name));
  const { chain, object } = await untilIssued(where, name, 1);
  assert.equal(faultsOfHistory(where.secrets.versions(`${name}-tls`)), []);
  assert.is(chain, `${told?.chain[0]}${told?.intermediate}`);
  const { notAfter, renewalTime } =
    (await untilSaid(where, name, ({ status }) => (status?.renewalTime ? status : undefined))) ?? {};
  const [leaf] = parseCertificates(chain);
  assert.is(Date.parse(notAfter ?? ''), leaf?.notAfter.getTime());
  assert.ok(Date.parse(renewalTime ?? '') < Date.parse(notAfter ?? ''));
  await opensslAccepts(object);
}

/** A first request to the authority of that place comes to nothing but these words. */
export async function comesToNothing(at: number, where: Theatre, place: Place, says: string): Promise<void> {
  const name = freshName(at);
  await create(place.world, wanted(place, name));
  await untilFailed(where, name, says);
  assert.equal(where.secrets.versions(`${name}-tls`), []);
}

export function freshName(at: number): string {
  return `fresh-${at}`;
}

function wanted({ namespace }: Place, name: string) {
  return clientCertificate(namespace, name, { duration: '1h', dnsNames: [`${name}.example.com`] });
}

async function ask(place: Place, held: string, fresh: string | undefined): Promise<void> {
  await renewAt(place.world, place.namespace, held);
  if (fresh !== undefined) await create(place.world, wanted(place, fresh));
}

async function untilIssued({ secrets }: Theatre, name: string, count: number) {
  const object = await until(`${name} has certificate number ${count}`, () => {
    const issued = issuances(secrets.versions(`${name}-tls`));
    return issued.length >= count ? issued.at(-1)?.object : undefined;
  });
  return mounted(object);
}

async function untilFailed(where: Theatre, name: string, says: string): Promise<void> {
  let last = 'nothing';
  const message = await untilSaid(where, name, ({ status }) => {
    const { reason, message: said = '' } = status?.lastFailure ?? {};
    if (reason !== undefined) last = `${reason}: ${said}`;
    return said.includes(says) ? said : undefined;
  }).catch((error: Error) => {
    const refusal = where.refusal?.(name) ?? 'nothing';
    throw new Error(`${error.message}: not ${JSON.stringify(says)}, but ${last}; the server says ${refusal}`);
  });
  assert.not.match(message, 'BEGIN');
  assert.not.match(message, /[\p{Cc}\p{Cf}]/u);
  assert.ok(message.length <= LONGEST_MESSAGE);
}

/** Asks all that its status has ever said, since the next failure may be another one. */
function untilSaid<T>({ certificates }: Theatre, name: string, ask: (object: StoredCertificate) => T | undefined) {
  return until(`the status of ${name}`, () => {
    for (const { object } of certificates.versions(name)) {
      const answer = ask(object);
      if (answer !== undefined) return answer;
    }
    return undefined;
  });
}

/** Not as often as `eventually` asks: many wait here, and what they look through grows. */
function until<T>(what: string, ask: () => T | undefined): Promise<T> {
  const asking = async () => {
    await sleep(LOOK_AGAIN_MS);
    return ask();
  };
  return eventually<T>(what, asking, WAIT_MS);
}

/** Whatever its Secret has held was answered honestly, and at no moment was it anything less than good. */
function proveHistory({ secrets, lies }: Theatre, name: string, count: number): void {
  const versions = secrets.versions(`${name}-tls`);
  assert.equal(faultsOfHistory(versions), []);
  const published = issuances(versions).map(({ object }) => mounted(object).chain);
  assert.ok(published.every((chain) => lies.truthsFor(name).includes(chain)));
  assert.is(published.length, count);
}

async function metric(controller: ControllerProcess, name: string): Promise<number> {
  const text = await controller.metrics();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}
