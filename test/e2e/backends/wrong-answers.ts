import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BackendDefinition } from '../../../src/backends/backend.ts';
import { parseCertificates } from '../../../src/pki/certificate.ts';
import { FORGERIES, ODDITIES } from '../../forgeries/forgeries.ts';
import type { Forge, Forgery } from '../../forgeries/forgery.ts';
import { metricsOf } from '../process/support/metrics.ts';
import { renewAt } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { create } from '../support/objects.ts';
import { opensslAccepts } from '../support/secret-proof.ts';
import { faultsOfHistory } from '../support/secret-witness.ts';
import type { AskingPlace, Stage } from './forged-answers.ts';
import {
  open,
  proveHistory,
  type RecordedScene,
  until,
  untilFailed,
  untilIssued,
  untilSaid,
  wanted,
} from './recorded-scene.ts';
import type { Place } from './subject.ts';

/** One kind of authority, and in what it differs. */
export interface Backend {
  readonly definition: Pick<BackendDefinition<never>, 'type' | 'capabilities'>;
  /** Forgeries that can't be made here, with the reason. */
  readonly impossible?: Readonly<Record<string, string>>;
  /** Those that the server itself refuses, with part of what it says: they never come to Certwheel. */
  readonly refusedBefore?: Readonly<Record<string, string>>;
  /** Those that are no lie here, with the reason. */
  readonly taken?: Readonly<Record<string, string>>;
  /** What is said of a forgery in other words than those of the table. */
  readonly says?: Readonly<Record<string, string>>;
  /** Wrong answers of this backend alone. */
  readonly more?: readonly Row[];
  stage(): Promise<Stage>;
}

/** Each row has a namespace, an authority and two certificates of its own; so many are under way at once. */
const AT_ONCE = 16;
/** On a machine with more to do than cores; what each answer costs is for src/certificate/answer-cost.test.ts. */
const LONGEST_STALL_SECONDS = 5;
const LONGEST_LOG_LINE = 16_384;

export interface Row {
  readonly name: string;
  readonly verdict: string;
  /** `at` is a number that no other row has. */
  play(at: number, where: RecordedScene): Promise<void>;
}

/** Every forgery as an answer of this kind of authority, to a renewal and to a first request: none reaches a Secret. */
export function wrongAnswers(backend: Backend): void {
  const { type } = backend.definition;
  const theatre = lazily(() => open(backend.stage));
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
    const metrics = await metricsOf(controller);
    const stall = metrics.value('nodejs_eventloop_lag_max_seconds') ?? Number.NaN;
    const resident = metrics.value('process_resident_memory_bytes') ?? Number.NaN;
    console.log(`\n# largest stall ${Math.round(stall * 1_000)} ms, ${Math.round(resident / 2 ** 20)} MB resident`);
    assert.ok(stall < LONGEST_STALL_SECONDS, `the event loop stood still for ${stall} s`);
    for (const line of controller.logs) assert.ok(JSON.stringify(line).length < LONGEST_LOG_LINE, line.message);
  });
}

function rowsOf(backend: Backend): Row[] {
  const { impossible = {}, refusedBefore = {}, taken: right = {}, more = [], definition } = backend;
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
      if (right[name] !== undefined) return takenRow(name, forgery.forge);
      const first = refusedBefore[name] === undefined ? '' : 'is refused by the server, and ';
      return {
        name,
        verdict: `${first}reaches no Secret`,
        play: (at, where) => refused(at, where, name, forgery, backend),
      };
    }),
    ...Object.entries(ODDITIES)
      .filter(([name]) => impossible[name] === undefined)
      .map(([name, forge]) => takenRow(name, forge)),
    ...more,
  ];
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
  where: RecordedScene,
  row: string,
  { forge, says, onlyRenewal = false }: Forgery,
  backend: Backend,
): Promise<void> {
  const { forged, controller, secrets } = where;
  const [held, fresh] = [`held-${at}`, freshName(at)];
  const place = await where.place();
  await create(place.world, wanted(place, held));
  const before = await untilIssued(where, held, 1);
  const subjects = onlyRenewal ? [held] : [held, fresh];
  for (const name of subjects) forged.tell(name, forge, before.leaf.serialNumber);
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

  for (const name of subjects) forged.tellTheTruth(name);
  for (const name of subjects) {
    const count = name === held ? 2 : 1;
    await untilIssued(where, name, count);
    proveHistory(where, name, count);
  }
  assert.is(await Promise.race([controller.exited, 'alive']), 'alive');
}

async function taken(at: number, where: RecordedScene, forge: Forge): Promise<void> {
  const name = freshName(at);
  let told: { readonly chain: readonly unknown[]; readonly intermediate: string } | undefined;
  where.forged.tell(name, (honest) => {
    const chain = forge(honest);
    told = { chain, intermediate: honest.intermediate.pem };
    return chain;
  });
  const place = await where.place();
  await create(place.world, wanted(place, name));
  const { chain, object } = await untilIssued(where, name, 1);
  assert.equal(faultsOfHistory(where.secrets.versions(`${name}-tls`)), []);
  const isLeaf = (pem: unknown) => parseCertificates(String(pem)).every(({ isCA }) => !isCA);
  assert.is(chain, `${told?.chain.find(isLeaf)}${told?.intermediate}`);
  const { notAfter, renewalTime } =
    (await untilSaid(where, name, ({ status }) => (status?.renewalTime ? status : undefined))) ?? {};
  const [leaf] = parseCertificates(chain);
  assert.is(Date.parse(notAfter ?? ''), leaf?.notAfter.getTime());
  assert.ok(Date.parse(renewalTime ?? '') < Date.parse(notAfter ?? ''));
  await opensslAccepts(object);
}

/** A first request to the authority of that place comes to nothing but these words. */
export async function comesToNothing(at: number, where: RecordedScene, place: Place, says: string): Promise<void> {
  const name = freshName(at);
  await create(place.world, wanted(place, name));
  await untilFailed(where, name, says);
  assert.equal(where.secrets.versions(`${name}-tls`), []);
}

export function freshName(at: number): string {
  return `fresh-${at}`;
}

async function ask(place: AskingPlace, held: string, fresh: string | undefined): Promise<void> {
  await renewAt(place.world, place.namespace, held);
  if (fresh !== undefined) await create(place.world, wanted(place, fresh));
}
