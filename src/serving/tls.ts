import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { messageOf } from '../thrown.ts';

/** PEM files. The certificate is that of the server first, then its intermediates. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** The TLS options of a server, which may change while it runs. */
export interface ServerTls {
  options(): SecureContextOptions;
  onChange(listener: (options: SecureContextOptions) => void): void;
}

/** The kubelet updates a mounted Secret within about a minute. */
const READ_EVERY_MS = 10_000;

/**
 * Reads certificate and key, and reads them again until the signal aborts. A changed pair replaces the current one; a broken
 * pair is logged and the current one stays. Throws when the first pair can't be used; the message is one line.
 */
export async function followTlsFiles(
  files: TlsFiles,
  { clock, log, signal }: { readonly clock: Pick<Clock, 'sleep'>; readonly log: Logger; readonly signal: AbortSignal },
): Promise<ServerTls> {
  let current = await readPair(files);
  const listeners: ((options: SecureContextOptions) => void)[] = [];
  const follow = async () => {
    let problem = '';
    for (;;) {
      await clock.sleep(READ_EVERY_MS, signal);
      try {
        const found = await readPair(files);
        problem = '';
        if (isSame(found, current)) continue;
        current = found;
        for (const each of listeners) each(optionsOf(current));
        log.info('the TLS certificate of metrics was replaced', { file: files.certFile });
      } catch (error) {
        const { message } = error as Error;
        if (message !== problem) log.error('the TLS certificate of metrics was not replaced', { error: message });
        problem = message;
      }
    }
  };
  // Only the signal ends it.
  follow().catch(() => {});
  return { options: () => optionsOf(current), onChange: (listener) => listeners.push(listener) };
}

interface Pair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

async function readPair({ certFile, keyFile }: TlsFiles): Promise<Pair> {
  const [cert, key] = await Promise.all([read(certFile), read(keyFile)]);
  const pair = { cert, key };
  try {
    createSecureContext(optionsOf(pair));
  } catch (error) {
    throw new Error(`${certFile} and ${keyFile} are not a certificate and its private key in PEM: ${lineOf(error)}`);
  }
  return pair;
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new Error(`${file} can't be read: ${lineOf(error)}`);
  }
}

function optionsOf(pair: Pair): SecureContextOptions {
  // NODE_OPTIONS could allow less.
  return { ...pair, minVersion: 'TLSv1.2' };
}

function isSame(one: Pair, other: Pair): boolean {
  return one.cert.equals(other.cert) && one.key.equals(other.key);
}

function lineOf(error: unknown): string {
  return messageOf(error).split('\n')[0] ?? '';
}
