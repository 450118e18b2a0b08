import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../../src/api/names.ts';
import { ROOT } from '../../../chart/support/helm.ts';
import type { Node } from '../../../cluster/node/node.ts';
import { clientCertificate, create, createAuthority, selfManaged, untilReady } from '../../support/objects.ts';
import type { World } from '../../support/world.ts';

const ARCHIVE = join(ROOT, 'dist/certwheel-image.tar');

/** The image that `make image-tar` has made, under the name that the chart asks for. */
export function importOurImage(node: Node): void {
  if (!existsSync(ARCHIVE)) throw new Error(`${ARCHIVE} is missing; run make image-tar, or make test-node`);
  node.importImage(ARCHIVE, 'docker.io/certwheel/certwheel');
}

/** Certificates of a day, of which none is due while a test runs. */
export async function issueFleet(world: World, namespace: string, count: number): Promise<void> {
  await createAuthority(world, selfManaged(namespace));
  const names = Array.from({ length: count }, (_, index) => `client-${index + 1}`);
  for (const name of names) await create(world, clientCertificate(namespace, name));
  for (const name of names) await untilReady(world, namespace, name);
}

/** Every Secret of a namespace: version and content tell whether anybody has touched it. */
export async function secretsOf({ cluster }: World, namespace: string): Promise<Record<string, string>> {
  const { stdout } = await cluster.kubectl(['get', SECRETS.plural, '--namespace', namespace, '--output=json']);
  const { items } = JSON.parse(stdout) as {
    items: { metadata: { name: string; uid: string; resourceVersion: string } }[];
  };
  return Object.fromEntries(
    items.map(({ metadata: { name, uid, resourceVersion } }) => [name, `${uid}/${resourceVersion}`]),
  );
}

/** Runs what disturbs the controller, and fails if a Secret of the namespace is lost, new, or written meanwhile. */
export async function touchesNoSecret(world: World, namespace: string, disturb: () => Promise<unknown>): Promise<void> {
  const before = await secretsOf(world, namespace);
  await disturb();
  assert.equal(await secretsOf(world, namespace), before);
}

/** A controller works that issues: a certificate that is asked for now becomes Ready. */
export async function issues(world: World, namespace: string, name: string, withinMs = 60_000): Promise<void> {
  await create(world, clientCertificate(namespace, name));
  await untilReady(world, namespace, name, {}, withinMs);
}
