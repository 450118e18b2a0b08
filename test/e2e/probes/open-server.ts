/** Servers of Node that behave as no good server does. */
import { createServer as createPlainServer } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { authority } from '../../interop/support/authority.ts';
import { listening, nodeServer as serve } from '../../unit/probed.ts';
import { serverPair } from './verifier-world.ts';

interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** Of the CA that verifiers have in serverCA, and of another one of the same name. */
export const SERVER: Pair = await serverPair();
const stranger = await authority(1, 'CA of servers');
export const STRANGER: Pair = await stranger.issue({
  names: { ipAddresses: ['127.0.0.1'] },
  usages: ['digital signature', 'server auth'],
});

export function nodeServer(options: TlsOptions, { certificate, key }: Pair): Promise<number> {
  return serve({ ...options, cert: certificate, key });
}

/** It takes connections and never says a word. */
export function silentServer(): Promise<number> {
  return listening(createPlainServer((socket) => socket.resume().on('error', () => {})));
}
