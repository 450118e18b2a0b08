import { join } from 'node:path';
import { SECRETS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { openFollower } from '../../demo/follow.ts';
import { eventually } from '../../e2e/support/eventually.ts';
import { readSecret } from '../../e2e/support/objects.ts';
import type { World } from '../../e2e/support/world.ts';
import { onStop } from '../../teardown.ts';
import { type Mount, mountSecret, type SecretFiles } from './mount.ts';
import { temporaryFolder } from './temporary.ts';

/** The entries of a Secret, byte by byte. */
export function filesOf({ data = {} }: RawObject): SecretFiles {
  return Object.fromEntries(Object.entries(data).map(([name, text]) => [name, Buffer.from(text, 'base64')]));
}

/** A Secret of the API server, once it is there, in a folder as a kubelet writes it. */
export async function mountReal(world: World, namespace: string, name: string): Promise<Mount> {
  const { object } = await eventually(`the Secret ${name}`, () => readSecret(world, namespace, name));
  return mountSecret(join(temporaryFolder(), name), filesOf(object));
}

/** Writes each later version of the Secret into its folder, and then calls `load`, one after the other. */
export function followReal(
  world: World,
  { namespace, name, mount }: { namespace: string; name: string; mount: Mount },
  load: () => Promise<unknown> = async () => {},
): void {
  const follower = openFollower(world.cluster.kubeconfigPath, (error) => console.error(error));
  let work = Promise.resolve();
  let isOver = false;
  // Before the programs end, which were started before: a reload would not find them any more.
  onStop(async () => {
    isOver = true;
    await follower.stop();
    await work;
  });
  follower.follow(SECRETS, { namespace, name }, filesOf, (files) => {
    work = work.then(async () => {
      if (isOver) return;
      mount.swap(files);
      await load();
    });
  });
}
