import { type Fault, type FaultProxy, type Matcher, startFaultProxy } from '../../kube/fault-proxy.ts';
import { type ControllerProcess, startController } from '../../support/controller-process.ts';
import { lazily } from '../../support/lazily.ts';
import { oneWorld, type World } from '../../support/world.ts';

/** A controller that reaches the API server by way of a proxy which breaks what it is told to break. */
export interface Broken {
  readonly world: World;
  readonly proxy: FaultProxy;
  readonly controller: ControllerProcess;
}

export function oneBrokenWorld() {
  const plain = oneWorld();
  const broken = lazily<Broken>(async () => {
    const world = await plain.get();
    const proxy = await startFaultProxy(world.cluster.kubeconfigPath);
    const controller = await startController(proxy.kubeconfigPath);
    return { world, proxy, controller };
  });
  return { get: broken.get, stop: plain.stop };
}

/** Breaks the first `times` requests that match, and notes when each of all that match came in, on the monotonic clock. */
export function breakFirst(
  proxy: FaultProxy,
  match: Matcher,
  fault: Fault,
  times: number,
): { readonly arrivals: readonly number[]; readonly mend: () => void } {
  const arrivals: number[] = [];
  const mend = proxy.when(match, fault, { times });
  // The last rule is asked first; this one notes, and never applies.
  proxy.when((request) => {
    if (match(request)) arrivals.push(request.atMs);
    return false;
  }, fault);
  return { arrivals, mend };
}

export function secretApply(namespace: string, name: string): Matcher {
  return ({ method, path }) => method === 'PATCH' && path === `/api/v1/namespaces/${namespace}/secrets/${name}`;
}

export function statusApply(namespace: string, name: string): Matcher {
  return ({ method, path }) =>
    method === 'PATCH' && path.endsWith(`/namespaces/${namespace}/clientcertificates/${name}/status`);
}

/** Everything about a namespace that is no watch. */
export function anyRequest(namespace: string): Matcher {
  return ({ path, watch }) => !watch && path.includes(`/namespaces/${namespace}/`);
}
