import { setTimeout as sleep } from 'node:timers/promises';
import { CERTIFICATE_NAME_LABEL, CLIENT_CERTIFICATES, SECRETS } from '../../../src/api/names.ts';
import { onStop } from '../../teardown.ts';
import { clusterUser } from '../process/support/access.ts';
import { isWrite, requestsOf } from '../process/support/audit.ts';
import { metricsOf } from '../process/support/metrics.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import { renewAt } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { issuedAt } from '../support/moments.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  untilReady,
} from '../support/objects.ts';
import {
  issuances,
  revisionOf,
  type StoredCertificate,
  watchCertificates,
  watchSecrets,
} from '../support/secret-witness.ts';
import type { Witness } from '../support/witness.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';
import { type ClosedDoor, closeDoor } from './closed-door.ts';
import { readyAuthority } from './place.ts';
import { certificateOf, type Place, type Served, type Signer, type Subject } from './subject.ts';

/** Behind each authority. */
export const CERTIFICATES = 20;
const AWAY_MS = 60_000;
/** For so long it is watched whether all have come back. */
const PATIENCE_MS = 120_000;
/** Whatever comes too often has come by then. */
const QUIET_MS = 5_000;
const USER = 'issuing';

/** What was seen of one authority, and of its certificates, that was away for a minute. */
export interface Absence {
  readonly subject: Subject;
  readonly names: readonly string[];
  readonly secrets: Witness;
  readonly whileAway: {
    /** Names of certificates that some status called not Ready. */
    readonly notReady: readonly string[];
    /** Certificates that were published by its end, those from before included. */
    readonly issued: number;
    /** Certificates that say that they are being renewed, and those of them whose request waits for an answer. */
    readonly waiting: number;
    readonly pending: number;
  };
  /** Reasons of its Ready condition. */
  readonly authority: { readonly whileAway: string | undefined; readonly afterwards: string | undefined };
  /** When somebody tried to connect, where it is a server. */
  readonly knocks: readonly number[];
  /** From its return to the last certificate; undefined where one is missing. */
  readonly caughtUpMs: number | undefined;
  /** How many certificates it has given, or was asked for, since it went away. */
  readonly booked: number;
}

interface Minute {
  readonly absences: readonly Absence[];
  readonly controller: {
    readonly cpuSeconds: number;
    readonly requests: number;
    readonly writes: number;
    /** What it printed that is no line of its log. */
    readonly errors: readonly string[];
    /** How long a certificate of a CA of Certwheel's own took in that minute. */
    readonly ownReadyMs: number;
  };
}

/** Takes away what signs from all of them for the same minute, while all of their certificates are to be renewed. */
export function outage(subjects: readonly Subject[]) {
  const worlds = oneWorld();
  const minute = lazily(async () => {
    const world = await worlds.get();
    const flags = await Promise.all(subjects.map((each) => each.flags?.() ?? []));
    const user = await clusterUser(world, USER);
    const controller = world.launch(['--allow-loopback-authorities', ...flags.flat()], user);
    const start = async (subject: Subject) => {
      const served = await subject.start(Promise.resolve(world));
      onStop(() => served.stop());
      return setOut(subject, served, await readyAuthority({ world, served }, subject));
    };
    return pass(await Promise.all(subjects.map(start)), world, controller);
  });
  return { get: minute.get, stop: worlds.stop };
}

/** One of them before it goes away. */
interface Present {
  readonly subject: Subject;
  readonly served: Served;
  readonly signer: Signer;
  readonly where: Place;
  readonly names: readonly string[];
  readonly secrets: Witness;
  readonly certificates: Witness<StoredCertificate>;
}

async function setOut(subject: Subject, served: Served, where: Place): Promise<Present> {
  const { signer } = served;
  if (signer === undefined) throw new Error(`nothing of ${subject.type} can be away`);
  const { world, namespace } = where;
  const names = Array.from({ length: CERTIFICATES }, (_, index) => `client-${index}`);
  for (const name of names) await create(world, certificateOf(subject, namespace, name));
  for (const name of names) await untilReady(world, namespace, name, {}, PATIENCE_MS);
  const [secrets, certificates] = [await watchSecrets(world, namespace), await watchCertificates(world, namespace)];
  return { subject, served, signer, where, names, secrets, certificates };
}

async function pass(all: readonly Present[], world: World, controller: ControllerProcess): Promise<Minute> {
  const bookedBefore = await Promise.all(all.map(({ signer }) => signer.booked()));
  const cpuBefore = await cpuOf(controller);
  const since = new Date();
  const doors = await Promise.all(all.map(goAway));
  const end = performance.now() + AWAY_MS;
  await Promise.all(all.map(renewAll));
  const ownReadyMs = await issueOwn(world);
  await sleep(Math.max(0, end - performance.now()));
  const cpuSeconds = (await cpuOf(controller)) - cpuBefore;
  const requests = await requestsOf(world, USER, since);
  const seen = await Promise.all(all.map(look));
  const caughtUp = await Promise.all(all.map((each, index) => comeBack(each, doors[index])));
  await sleep(QUIET_MS);
  const absences = all.map(async (each, index): Promise<Absence> => {
    const { signer, subject, names, secrets, where } = each;
    const { whileAway, reason } = seen[index] ?? (await look(each));
    await secrets.settled();
    return {
      ...{ subject, names, secrets, whileAway },
      authority: { whileAway: reason, afterwards: await reasonOf(where) },
      knocks: doors[index]?.knocks ?? [],
      caughtUpMs: caughtUp[index],
      booked: (await signer.booked()) - (bookedBefore[index] ?? 0),
    };
  });
  const writes = requests.filter(isWrite).length;
  return {
    absences: await Promise.all(absences),
    controller: { cpuSeconds, requests: requests.length, writes, errors: controller.errors, ownReadyMs },
  };
}

async function goAway({ signer, served: { server } }: Present): Promise<ClosedDoor | undefined> {
  await signer.halt();
  return server && closeDoor(server.url);
}

async function renewAll({ where: { world, namespace }, names }: Present): Promise<void> {
  for (const name of names) await renewAt(world, namespace, name);
}

/** Answers how long it took from then on until all were renewed. */
async function comeBack({ signer, where, names }: Present, door: ClosedDoor | undefined): Promise<number | undefined> {
  await door?.open();
  await signer.start();
  const startedMs = Date.now();
  const { world, namespace } = where;
  const renewed = eventually(
    `all of ${namespace} are renewed`,
    async () => {
      const { items } = await world.client.list(SECRETS, { namespace, labelSelector: CERTIFICATE_NAME_LABEL });
      const found = items.filter((each) => revisionOf(each) === 2);
      return found.length === names.length && found;
    },
    PATIENCE_MS,
  );
  return renewed.then(
    (secrets) => Math.max(...secrets.map((each) => issuedAt(each).getTime())) - startedMs,
    () => undefined,
  );
}

/** What there is to see at the end of the minute. */
async function look({ where, names, secrets, certificates }: Present) {
  await Promise.all([secrets.settled(), certificates.settled()]);
  const { items } = await where.world.client.list(CLIENT_CERTIFICATES, { namespace: where.namespace });
  const issuing = items.map(({ status }) =>
    conditionOf((status ?? {}) as StoredCertificate['status'] & object, 'Issuing'),
  );
  const notReady = certificates
    .all()
    .filter(({ object }) => conditionOf(object.status ?? {}, 'Ready')?.status !== 'True')
    .map(({ object }) => object.metadata?.name ?? '');
  return {
    reason: await reasonOf(where),
    whileAway: {
      notReady: [...new Set(notReady)],
      issued: names.flatMap((name) => issuances(secrets.versions(`${name}-tls`))).length,
      waiting: issuing.filter((condition) => condition?.status === 'True').length,
      pending: issuing.filter((condition) => condition?.reason === 'Pending').length,
    },
  };
}

async function issueOwn(world: World): Promise<number> {
  const namespace = await world.namespace();
  const startedMs = Date.now();
  await createAuthority(world, selfManaged(namespace));
  await create(world, clientCertificate(namespace, 'own'));
  await untilReady(world, namespace, 'own');
  const secret = await readSecret(world, namespace, 'own-tls');
  return issuedAt(secret?.object ?? {}).getTime() - startedMs;
}

async function reasonOf({ world, namespace }: Place): Promise<string | undefined> {
  return conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'Ready')?.reason;
}

async function cpuOf(controller: ControllerProcess): Promise<number> {
  return (await metricsOf(controller)).value('process_cpu_seconds_total') ?? Number.NaN;
}
