import type { ControllerProcess } from './controller-process.ts';
import { lazily } from './lazily.ts';
import { createAuthority, selfManaged } from './objects.ts';
import { oneWorld, type World, type WorldOptions } from './world.ts';

/** What most tests of a file start from: a running controller, and a namespace. */
export interface Scene {
  readonly world: World;
  readonly controller: ControllerProcess;
  readonly namespace: string;
}

export interface SceneOptions extends WorldOptions {
  /** More of the spec of the self-managed CertificateAuthority `ca` in the namespace; false for no authority. */
  readonly authority?: Readonly<Record<string, unknown>> | false;
  /** Flags of the controller. */
  readonly flags?: readonly string[];
  /** The namespace is the controller's own: the CAs of cluster authorities are kept there. */
  readonly isHome?: boolean;
  /** Starts the controller in another way, such as through a proxy or as another user. */
  readonly start?: (world: World, flags: readonly string[]) => Promise<ControllerProcess>;
  /** Brings the CRDs in another way than the world does. */
  readonly install?: Parameters<typeof oneWorld>[1];
}

/**
 * One scene for a test file, started by the first test that asks. `prepare` adds what else the tests share:
 * `const scene = oneScene({ flags }, async ({ world }) => ({ … })); test.after(scene.stop)`.
 */
export function oneScene<More extends object = object>(
  { authority = {}, flags = [], isHome = false, start, install, ...options }: SceneOptions = {},
  prepare?: (scene: Scene) => Promise<More | undefined>,
) {
  const shared = oneWorld(options, install);
  return lazily(async () => {
    const world = await shared.get();
    const namespace = await world.namespace();
    const all = isHome ? [...flags, '--controller-namespace', namespace] : flags;
    const controller = await (start?.(world, all) ?? world.controller(all));
    if (authority !== false) await createAuthority(world, selfManaged(namespace, 'ca', authority));
    const scene = { world, controller, namespace };
    const more = await prepare?.(scene);
    return { ...scene, ...(more as More) };
  });
}
