// CAs that book what they issue, and whose books can be read past Certwheel.

import { execFile } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureProgram } from '../../programs/programs.ts';
import { onStop } from '../../teardown.ts';
import { serve as serveCloudflare } from '../backends/cloudflare-subject.ts';
import { startCloudflare } from '../backends/cloudflare-world.ts';
import { makeStepCa, type StepCa } from '../backends/servers/step-ca.ts';
import { startVault, type Vault } from '../backends/servers/vault.ts';
import { serve as serveStepCa } from '../backends/step-ca-subject.ts';
import type { Served, Server } from '../backends/subject.ts';
import { serveOn } from '../backends/vault-subject.ts';

/** A certificate in the books of a CA. */
export interface Booked {
  /** As the CA writes it: hex, or decimal with `0d` before it. */
  readonly text: string;
  /** Lower-case hex. */
  readonly serial: string;
  /** RFC 7469: base64 of the SHA-256 of the public key. */
  readonly keyPin: string;
  readonly commonName: string;
}

export interface BookingCa {
  /** Of the authority; certificates of it have names that begin with it. */
  readonly name: string;
  readonly type: string;
  readonly served: Served;
  readonly server: Server;
  /** What it has issued. It may end for that. */
  books(): Promise<readonly Booked[]>;
}

export async function bookingCas(): Promise<readonly BookingCa[]> {
  return [await stepCa(), await vault(), await cloudflare()];
}

async function stepCa(): Promise<BookingCa> {
  const served = await serveStepCa(await makeStepCa());
  const { ca, server } = served;
  return { name: 'step', type: 'stepCA', served, server, books: () => databaseOf(ca) };
}

async function databaseOf(ca: StepCa): Promise<readonly Booked[]> {
  const program = await ensureProgram('step-db');
  // The database is locked while step-ca runs.
  await ca.halt();
  const { stdout } = await promisify(execFile)(program, [join(ca.folder, 'db')], { maxBuffer: 2 ** 26 });
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [text = '', keyPin = '', name = ''] = line.split(' ');
      return { text, serial: hexOf(BigInt(text.slice(2)).toString(16)), keyPin, commonName: JSON.parse(name) };
    });
}

async function vault(): Promise<BookingCa> {
  const started = await startVault();
  onStop(() => started.stop());
  const served = await serveOn(async () => started);
  return { name: 'vault', type: 'vault', served, server: serverOf(served), books: () => storedIn(started) };
}

export async function storedIn(server: Vault): Promise<readonly Booked[]> {
  const { body } = await server.api('LIST', 'pki/certs');
  const { keys = [] } = body.data ?? {};
  const booked: Booked[] = [];
  for (const text of keys as readonly string[]) {
    const found = await server.api('GET', `pki/cert/${text}`);
    booked.push(bookedOf(text, String(found.body.data?.certificate)));
  }
  return booked;
}

async function cloudflare(): Promise<BookingCa> {
  const world = await startCloudflare();
  const served = await serveCloudflare(world);
  const books = async () => world.fake.zone.issued.map((each) => bookedOf(each.serial_number, each.certificate));
  return { name: 'cloudflare', type: 'cloudflare', served, server: serverOf(served), books };
}

function serverOf({ server }: Served): Server {
  if (server === undefined) throw new Error('it is no server by itself');
  return server;
}

/** By OpenSSL. */
function bookedOf(text: string, pem: string): Booked {
  const { serialNumber, publicKey, subject } = new X509Certificate(pem);
  const key = publicKey.export({ type: 'spki', format: 'der' });
  const keyPin = createHash('sha256').update(key).digest('base64');
  return { text, serial: hexOf(serialNumber), keyPin, commonName: /^CN=(.*)$/m.exec(subject)?.[1] ?? '' };
}

function hexOf(serial: string): string {
  const digits = serial.toLowerCase();
  return digits.length % 2 === 0 ? digits : `0${digits}`;
}
