import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientCertificateStatus } from '../../src/api/generated/types.ts';
import { CLIENT_CERTIFICATES, EVENTS, SECRETS } from '../../src/api/names.ts';
import type { RawObject } from '../../src/api/parse.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { startController } from './controller.ts';
import type { Display } from './display.ts';
import { type Follower, openFollower } from './follow.ts';
import { mounted } from './mounted.ts';
import { step } from './progress.ts';
import { applyManifests, EXAMPLES, lookForYourself, NAMESPACE } from './stage.ts';
import type { Story } from './story.ts';
import { Workloads } from './workloads.ts';

/** The ClientCertificates of the quickstart; each has a Secret of its own name with `-tls` behind it. */
export const SERVER = 'server';
export const CLIENTS = ['client', 'client-b'];

const TICK_MS = 200;
const FIRST_ISSUE_PATIENCE_MS = 60_000;
const EXPIRED_PATIENCE_MS = 15_000;
/** So that the last certificates are used in handshakes too before the end. */
const LAST_SCENE_MS = 1_000;

export interface Scene {
  readonly cluster: ControlPlane;
  readonly story: Story;
  readonly display: Display;
  /** Ends the play after so many rotations of each certificate; it goes on for ever without. */
  readonly rotations: number | undefined;
  readonly cleanup: AsyncDisposableStack;
}

/** From an empty cluster to the last rotation. Throws with what went wrong, in words for the reader. */
export async function play(scene: Scene): Promise<void> {
  const { cluster, story, display, cleanup } = scene;
  await step(
    'applying the CRDs and the quickstart',
    () => applyManifests(cluster),
    () => `crds/ and ${EXAMPLES}/ applied`,
  );

  const trouble = Promise.withResolvers<never>();
  trouble.promise.catch(() => {});
  let workloads: Workloads | undefined;
  const follower = openFollower(cluster.kubeconfigPath, trouble.reject);
  cleanup.defer(() => follower.stop());
  followSecrets(follower, scene, () => workloads);
  followTheRest(follower, story);

  const controller = startController(cluster.dir, cluster.kubeconfigPath);
  cleanup.defer(() => controller.stop());
  const unlessLost = <T>(work: Promise<T>) => Promise.race([work, trouble.promise, controller.lost]);
  await step(
    'the controller issues the first certificates',
    () => unlessLost(untilIssued(story)),
    () => 'the controller runs, and has issued the first certificates',
  );
  workloads = await Workloads.start(story, SERVER, CLIENTS);
  cleanup.defer(async () => workloads?.stop());
  display.begin(lookForYourself(cluster), controller.logPath);
  await unlessLost(untilRotated(scene));
}

function followSecrets(follower: Follower, { story, display }: Scene, workloads: () => Workloads | undefined): void {
  for (const name of [SERVER, ...CLIENTS]) {
    follower.follow(SECRETS, { namespace: NAMESPACE, name: `${name}-tls` }, mounted, (files) => {
      const publication = story.mount(name, files);
      if (name === SERVER) workloads()?.reloadServer(files);
      if (publication !== undefined) display.published(publication);
    });
  }
}

/** What the table shows besides the Secrets. */
function followTheRest(follower: Follower, story: Story): void {
  const where = { namespace: NAMESPACE };
  follower.follow(
    CLIENT_CERTIFICATES,
    where,
    (object) => object,
    ({ metadata, status }) => {
      const certificate = story.certificates.find(({ name }) => name === metadata?.name);
      if (certificate === undefined) return;
      const { serialNumber, renewalTime, conditions = [] } = (status ?? {}) as ClientCertificateStatus;
      const ready = conditions.find(({ type }) => type === 'Ready');
      certificate.trouble = ready?.status === 'True' ? undefined : ready && `${ready.reason}: ${ready.message}`;
      certificate.renewal =
        serialNumber === undefined || renewalTime === undefined
          ? undefined
          : { serial: serialNumber, at: new Date(renewalTime) };
    },
  );
  follower.follow(EVENTS, where, readReason, (told) => {
    if (told !== undefined) story.learnReason(told.serial, told.reason);
  });
}

/** `Issued: serial …`, `Renewed: Due: due since …; serial …`. */
function readReason(object: RawObject): { serial: string; reason: string } | undefined {
  const { reason = '', note = '' } = object as { reason?: string; note?: string };
  const serial = /serial ([0-9a-f]+)/.exec(note)?.[1];
  if (serial === undefined) return undefined;
  return { serial, reason: reason === 'Issued' ? 'FirstIssue' : (/^\w+/.exec(note)?.[0] ?? reason) };
}

async function untilIssued(story: Story): Promise<void> {
  const deadline = performance.now() + FIRST_ISSUE_PATIENCE_MS;
  while (!story.isComplete) {
    if (performance.now() > deadline) {
      const missing = story.certificates.filter(({ mounted }) => mounted === undefined);
      const reasons = missing.map(({ name, trouble }) => `${name} (${trouble ?? 'its status says nothing'})`);
      throw new Error(
        `after ${FIRST_ISSUE_PATIENCE_MS / 1000} s there still is no certificate for ${reasons.join(', ')}`,
      );
    }
    await sleep(20);
  }
}

async function untilRotated({ story, display, rotations = Number.POSITIVE_INFINITY }: Scene): Promise<void> {
  let allValidAt = performance.now();
  while (story.rotations < rotations) {
    display.tick();
    await sleep(TICK_MS);
    const expired = story.certificates.find(({ mounted }) => mounted !== undefined && mounted.notAfter < new Date());
    if (expired === undefined) allValidAt = performance.now();
    // A laptop that was asleep wakes up to expired certificates, and the controller needs a moment then.
    else if (performance.now() - allValidAt > EXPIRED_PATIENCE_MS)
      throw new Error(
        `the certificate of ${expired.name} has expired and was not renewed: ${expired.trouble ?? 'its status says no reason'}`,
      );
  }
  const end = performance.now() + LAST_SCENE_MS;
  while (performance.now() < end) {
    display.tick();
    await sleep(TICK_MS);
  }
}
