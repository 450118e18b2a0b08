import { Agent, type buildConnector, type Dispatcher, ProxyAgent, Socks5ProxyAgent } from 'undici';
import type { KubeConfig } from './kubeconfig.ts';
import { KubeconfigError } from './kubeconfig.ts';

/** What a kubeconfig says about TLS and proxies, in client-node's words. */
export type DispatcherChoice = ReturnType<KubeConfig['createDispatcherOptions']>;

export interface Dispatchers {
  requests: Dispatcher;
  watches: Dispatcher;
  /** Lets what is running end first. */
  close(): Promise<void>;
  destroy(): Promise<void>;
}

const REQUEST_CONNECTIONS = 32;

const COMMON = {
  pipelining: 1,
  // One connection per watch keeps faults apart, and undici's HTTP/1.1 costs less than its HTTP/2.
  allowH2: false,
  // The API server closes an idle connection after 90 s; we must be the first, or a request meets a dead one.
  keepAliveTimeout: 60_000,
  keepAliveMaxTimeout: 60_000,
  // Each request has a timer of its own, and each watch a watchdog.
  headersTimeout: 0,
  bodyTimeout: 0,
} as const;

/** The two pools: one for requests, capped, and one for watches. */
export function buildDispatchers(choice: DispatcherChoice, source: string): Dispatchers {
  const requests = build(choice, { ...COMMON, connections: REQUEST_CONNECTIONS }, source);
  const watches = build(choice, COMMON, source);
  const both = [requests, watches];
  return {
    requests,
    watches,
    close: () => settle(both.map((dispatcher) => dispatcher.close())),
    destroy: () => settle(both.map((dispatcher) => dispatcher.destroy())),
  };
}

function build(choice: DispatcherChoice, options: Agent.Options, source: string): Dispatcher {
  switch (choice.type) {
    case 'none':
      return new Agent(options);
    case 'agent':
      return new Agent({ ...options, connect: tls(choice.connect) });
    case 'proxy':
      return new ProxyAgent({ ...options, uri: choice.uri, requestTls: tls(choice.requestTls) });
    case 'socks':
      if (choice.uri.startsWith('socks4'))
        throw new KubeconfigError(source, 'its proxy-url is SOCKS 4', 'use a socks5:// or http:// proxy');
      return new Socks5ProxyAgent(choice.uri, {
        ...options,
        requestTls: tls(choice.requestTls),
      } as Socks5ProxyAgent.Options);
  }
}

/** The same options to both libraries, which only differ in how they spell an absent one. */
function tls(options: object): buildConnector.BuildOptions {
  return options as buildConnector.BuildOptions;
}

/** A connection that can't be closed in order is gone anyway. */
async function settle(closing: Promise<void>[]): Promise<void> {
  await Promise.allSettled(closing);
}
