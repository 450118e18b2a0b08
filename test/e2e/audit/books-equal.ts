// The audit logs of two replicas, and the books of the CAs that they ask.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { runAudit } from '../../../src/audit/command.ts';
import { onStop } from '../../teardown.ts';
import { untilAuthority } from '../backends/place.ts';
import { seededRandom } from '../process/support/chance.ts';
import { createAll, list, numbered } from '../process/support/fleet.ts';
import { renewAt } from '../support/edits.ts';
import { PATIENCE_MS } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';
import { type Booked, type BookingCa, bookingCas } from './booking-cas.ts';
import { Replicas } from './replicas.ts';
import { audit, checkpointIn, eventsIn, logFolder, watchSerials } from './support.ts';

export interface Extent {
  /** Of each CA. */
  readonly certificates: number;
  readonly renewals: number;
  /** Of the leader, in each round; one more of the other replica. */
  readonly kills: number;
  /** Of the answers to requests for a certificate. */
  readonly lostShare: number;
}

/** The limits of the real services are not what this is about. */
const RATE = { requests: 200, per: 'Second', burst: 400 };

/** What the story has left behind. */
interface Books {
  readonly ca: BookingCa;
  readonly booked: readonly Booked[];
  /** Whose certificates have names of ours: the books may have the CA itself. */
  readonly ofClients: readonly Booked[];
  readonly file: string;
  readonly authority: string;
  /** Answers that the proxy has lost. */
  readonly lost: number;
}

/** The command in this process: each process of its own takes a second. */
async function compared(files: readonly string[], serials: string, authority: string) {
  const lines: string[] = [];
  const args = ['compare', '--log', ...files, '--serials', serials, '--authority', authority];
  const code = await runAudit(args, (line) => lines.push(line));
  return { code, printed: lines.join('\n') };
}

/** Loses answers after the CA has given them. */
function loseAnswers({ server }: BookingCa, share: number, random: () => number): () => number {
  let lost = 0;
  server.proxy.meddle(async (exchange, pass) => {
    const answer = await pass();
    if (!server.asksForCertificate(exchange) || random() >= share) return answer;
    lost += 1;
    throw new Error('the answer is lost');
  });
  return () => lost;
}

async function untilRevisions(world: World, namespace: string, count: number, least: number): Promise<void> {
  const behind = async () =>
    (await list(world, namespace)).filter(({ status }) => ((status as { revision?: number })?.revision ?? 0) < least);
  const done = async () => (await behind().catch(() => undefined))?.length === 0;
  await eventually(`${count} certificates have revision ${least}`, done, 4 * PATIENCE_MS, 250).catch(async (error) => {
    const stuck = (await behind()).slice(0, 3).map(({ metadata, status }) => ({ name: metadata?.name, status }));
    throw new Error(`${(error as Error).message}; such as ${JSON.stringify(stuck)}`);
  });
}

/** Defines the tests of a file. */
export function compareBooks({ certificates, renewals, kills, lostShare }: Extent): void {
  const shared = oneWorld();
  test.after(shared.stop);

  const story = lazily(async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
    console.log(`SEED=${seed}`);
    const random = seededRandom(seed);
    const [world, cas] = await Promise.all([shared.get(), bookingCas()]);
    const namespace = await world.namespace();
    const where = { world, namespace };
    const folder = logFolder(world);
    const losses = cas.map((ca) => loseAnswers(ca, lostShare, random));
    for (const { name, type, served, server } of cas) {
      const spec = { [type]: await served.prepare(where, server.proxy.url), rateLimit: RATE };
      await world.client.create(CERTIFICATE_AUTHORITIES, { metadata: { namespace, name }, spec });
    }
    const shown = await watchSerials(world, namespace);
    const replicas = new Replicas(world, namespace, folder);
    onStop(() => replicas.stop());
    await Promise.all(cas.map(({ name }) => untilAuthority(where, {}, { name })));

    const names = cas.flatMap((ca) => numbered(certificates, `${ca.name}-`));
    for (let round = 0; round <= renewals; round++) {
      const wanted =
        round === 0
          ? cas.map(({ name }) =>
              createAll(world, namespace, numbered(certificates, `${name}-`), { authorityRef: { name } }),
            )
          : names.map((name) => renewAt(world, namespace, name));
      for (let kill = 0; kill < kills; kill++) {
        // In the midst of requests: after some more of them, at any moment of their way.
        const until = replicas.noted() + 1 + random() * certificates;
        const untilMs = performance.now() + 5_000;
        while (replicas.noted() < until && performance.now() < untilMs) await sleep(5);
        await sleep(random() * 30);
        await replicas.kill('leader');
      }
      if (round % 2 === 1) await replicas.kill('standby');
      await Promise.all(wanted);
      await untilRevisions(world, namespace, names.length, round + 1);
    }
    assert.equal(await replicas.stop(), [0, 0]);
    const books: Books[] = [];
    for (const [index, ca] of cas.entries()) {
      const booked = await ca.books();
      const file = join(folder, `${ca.name}.txt`);
      writeFileSync(file, booked.map(({ text, keyPin }) => `${text} ${keyPin}\n`).join(''));
      const ofClients = booked.filter(({ commonName }) => names.includes(commonName));
      const authority = `CertificateAuthority/${namespace}/${ca.name}`;
      books.push({ ca, booked, ofClients, file, authority, lost: losses[index]?.() ?? 0 });
    }
    const files = replicas.files.filter((file) => existsSync(file));
    return { world, namespace, books, files, shown: await shown(), kills: replicas.kills };
  });

  /** The serial numbers of that event in both logs, of one authority. */
  const serialsIn = (files: readonly string[], event: 'signed' | 'published', authority: string) =>
    new Set(
      files
        .flatMap((file) => eventsIn(file, event))
        .filter((each) => each.authority === authority)
        .map(({ serial }) => String(serial)),
    );

  test('the books of each CA are the log: each certificate is in it, or its answer was lost and it is named', async () => {
    const { books, files, kills: killed } = await story.get();
    console.log(`${killed} kills`);
    let named = 0;
    for (const { ca, booked, ofClients, file, authority, lost } of books) {
      const signed = serialsIn(files, 'signed', authority);
      const serials = new Set(ofClients.map(({ serial }) => serial));
      assert.ok(serials.size >= certificates * (renewals + 1), `${ca.name} has issued ${serials.size}`);
      assert.equal(
        [...signed].filter((serial) => !serials.has(serial)),
        [],
        `${ca.name} doesn't know what the log has`,
      );
      const pins = new Map(ofClients.map(({ serial, keyPin }) => [serial, keyPin]));
      for (const each of files.flatMap((log) => eventsIn(log, 'signed')).filter((line) => line.authority === authority))
        assert.is(each.keyPin, pins.get(String(each.serial)));
      const { code, printed } = await compared(files, file, authority);
      assert.is(code, 0, printed);
      const found = [
        ...printed.matchAll(/^answer lost: (\S+): requested for ClientCertificate [^/]+\/(\S+), uid \S+, at /gm),
      ];
      // The name in the certificate itself is the proof.
      assert.equal(
        found.map(([, serial, name]) => `${serial} ${name}`).sort(),
        ofClients
          .filter(({ serial }) => !signed.has(serial))
          .map(({ serial, commonName }) => `${serial} ${commonName}`)
          .sort(),
      );
      assert.equal(
        [...printed.matchAll(/^not in the log: (\S+)$/gm)].map(([, serial]) => serial),
        booked.filter((each) => !ofClients.includes(each)).map(({ serial }) => serial),
      );
      named += found.length;
      console.log(`${ca.name}: ${lost} answers lost by the proxy; ${printed.trim().split('\n').at(-1)}`);
    }
    assert.ok(named > 0, 'no answer was lost for good, so nothing was proven of that');
  });

  test('what the log has and the books have not is found', async () => {
    const { books, files } = await story.get();
    for (const { ofClients, file, authority } of books) {
      const signed = serialsIn(files, 'signed', authority);
      const [gone, ...rest] = ofClients.filter(({ serial }) => signed.has(serial));
      writeFileSync(`${file}.short`, rest.map(({ text }) => `${text}\n`).join(''));
      const { code, printed } = await compared(files, `${file}.short`, authority);
      assert.is(code, 1, printed);
      const missing = [...printed.matchAll(/^not at the CA: (\S+): signed for ClientCertificate [^/]+\/(\S+),/gm)];
      assert.equal(
        missing.map(([, serial, name]) => [serial, name]),
        [[gone?.serial, gone?.commonName]],
      );
    }
  });

  test('what Secrets have held is in the log and in the books, and what the log calls published was in a Secret', async () => {
    const { books, files, shown } = await story.get();
    const held = new Set(shown.map(({ serial }) => serial));
    const booked = new Set(books.flatMap(({ ofClients }) => ofClients.map(({ serial }) => serial)));
    const of = (event: 'signed' | 'published') =>
      new Set(books.flatMap(({ authority }) => [...serialsIn(files, event, authority)]));
    const [signed, published] = [of('signed'), of('published')];
    const unknown = [...held].filter((serial) => !signed.has(serial) || !booked.has(serial));
    assert.equal(unknown, []);
    assert.equal(
      [...published].filter((serial) => !held.has(serial)),
      [],
    );
    console.log(
      `${booked.size} issued, ${signed.size} signed in the logs, ${held.size} held, ${published.size} published`,
    );
  });

  test('verify accepts both logs with the checkpoints of the cluster', async () => {
    const { world, namespace, files } = await story.get();
    assert.is(files.length, 2);
    const { code, printed } = await audit('verify', '--log', ...files, ...checkpointIn(world, namespace));
    assert.is(code, 0, printed);
  });

  test.run();
}
