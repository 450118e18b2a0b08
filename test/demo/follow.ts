import type { Resource } from '../../src/api/names.ts';
import type { RawObject } from '../../src/api/parse.ts';
import { systemClock } from '../../src/clock.ts';
import { KubeconfigConnection } from '../../src/kube/auth.ts';
import { Cache } from '../../src/kube/cache/cache.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { Watch } from '../../src/kube/watch.ts';
import type { Logger } from '../../src/log.ts';

export interface Follower {
  /** Calls `tell` with what is there now and with each change from then on. A deletion isn't told: see Mounted. */
  follow<T>(resource: Resource, where: Where, read: (object: RawObject) => T, tell: (value: T) => void): void;
  stop(): Promise<void>;
}

export interface Where {
  readonly namespace: string;
  /** One object only, as a kubelet follows the Secrets of its own pods and no others. */
  readonly name?: string;
}

/** Watches the API server for the workloads and for the table. What can't be read or told ends the demo: `onTrouble`. */
export function openFollower(kubeconfigPath: string, onTrouble: (error: Error) => void): Follower {
  const stopping = new AbortController();
  const logger: Logger = {
    debug() {},
    info() {},
    warn() {},
    error: (message, fields) => onTrouble(new Error(`${message} ${JSON.stringify(fields ?? {})}`)),
  };
  const connections = new KubeconfigConnection({ kubeconfig: kubeconfigPath, clock: systemClock, logger });
  const client = new KubeClient({ connections, clock: systemClock });
  const watches: Promise<void>[] = [];
  return {
    follow<T>(
      resource: Resource,
      { namespace, name }: Where,
      read: (object: RawObject) => T,
      tell: (value: T) => void,
    ) {
      const cache = new Cache<T>({ reduce: read });
      cache.onChange((_key, _before, after) => {
        try {
          if (after !== undefined) tell(after);
        } catch (error) {
          // A watch would take it for trouble of its own and begin anew.
          onTrouble(error as Error);
        }
      });
      const fieldSelector = name === undefined ? undefined : `metadata.name=${name}`;
      const watch = new Watch({ client, clock: systemClock, logger }, { resource, namespace, fieldSelector, cache });
      watches.push(watch.run(stopping.signal));
    },
    async stop() {
      stopping.abort(new Error('the demo is over'));
      await Promise.all(watches);
      await client.close();
    },
  };
}
