/** A session that a revoked client resumes: the settings with which it is served on, and those that end it. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../e2e/support/eventually.ts';
import { TLS_VERSIONS } from '../interop/support/cells.ts';
import { visit } from '../interop/support/sessions.ts';
import { temporaryFolder } from '../interop/support/temporary.ts';
import { stopAll } from '../teardown.ts';
import {
  APACHE,
  type CrlServer,
  ENVOY,
  HAPROXY,
  HAPROXY_SWAP,
  type More,
  NGINX,
  NGINX_CURRENT,
} from './support/crl-servers.ts';
import { crlStage, whereAvailable } from './support/crl-stage.ts';

test.after(stopAll);

/** Former processes of a server end within it. */
const SETTLED_MS = 1_500;

const folder = temporaryFolder();
const keys = {
  bytes48: ticketKey('48', randomBytes(48)),
  bytes80: ticketKey('80', randomBytes(80)),
  haproxy: ticketKey('haproxy', Array.from({ length: 3 }, () => `${randomBytes(48).toString('base64')}\n`).join('')),
};

/** The keys of session tickets as an operator gives them to several replicas of a server. */
function ticketKey(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

interface Case {
  readonly program: CrlServer;
  readonly setting: string;
  readonly more?: More;
  /** Whether the session is served after the list is in use. */
  readonly isServed: boolean;
}

const TICKET_KEYS_OF_NGINX = {
  setting: 'ssl_session_ticket_key',
  more: { 'ssl_verify_client on;': ` ssl_session_ticket_key ${keys.bytes80};` },
} as const;
const SHARED_CACHE_OF_NGINX = {
  setting: 'ssl_session_cache shared',
  more: { 'ssl_verify_client on;': ' ssl_session_cache shared:tls:1m;' },
} as const;
const NO_SESSIONS_OF_NGINX = {
  setting: 'ssl_session_tickets off, and no shared cache',
  more: { 'ssl_verify_client on;': ' ssl_session_tickets off;' },
} as const;

const CASES: readonly Case[] = [
  { program: NGINX, setting: 'the defaults', isServed: false },
  { program: NGINX, ...TICKET_KEYS_OF_NGINX, isServed: true },
  { program: NGINX, ...SHARED_CACHE_OF_NGINX, isServed: false },
  {
    program: NGINX,
    setting: 'ssl_session_cache shared, and ssl_session_tickets off',
    more: { 'ssl_verify_client on;': ' ssl_session_cache shared:tls:1m; ssl_session_tickets off;' },
    isServed: true,
  },
  { program: NGINX, ...NO_SESSIONS_OF_NGINX, isServed: false },
  // Since nginx 1.23.2 the keys of tickets are in the shared cache, which a reload keeps.
  { program: NGINX_CURRENT, ...SHARED_CACHE_OF_NGINX, isServed: true },
  { program: NGINX_CURRENT, ...NO_SESSIONS_OF_NGINX, isServed: false },
  { program: APACHE, setting: 'the defaults', isServed: false },
  {
    program: APACHE,
    setting: 'SSLSessionTicketKeyFile',
    more: { 'SSLEngine on': `\n  SSLSessionTicketKeyFile ${keys.bytes48}` },
    isServed: true,
  },
  {
    program: APACHE,
    setting: 'SSLSessionTickets off',
    more: { 'SSLEngine on': '\n  SSLSessionTickets off' },
    isServed: false,
  },
  { program: HAPROXY, setting: 'the defaults', isServed: false },
  {
    program: HAPROXY,
    setting: 'tls-ticket-keys',
    more: { 'verify required': ` tls-ticket-keys ${keys.haproxy}` },
    isServed: true,
  },
  {
    program: HAPROXY,
    setting: 'no-tls-tickets',
    more: { 'verify required': ' no-tls-tickets' },
    isServed: false,
  },
  { program: HAPROXY_SWAP, setting: 'the defaults', isServed: true },
  {
    program: HAPROXY_SWAP,
    setting: 'no-tls-tickets and tune.ssl.cachesize 0',
    more: { 'verify required': ' no-tls-tickets', 'log stdout format raw local0 info': '\n  tune.ssl.cachesize 0' },
    isServed: false,
  },
  { program: ENVOY, setting: 'the defaults', isServed: false },
  {
    program: ENVOY,
    setting: 'session_ticket_keys',
    more: {
      'require_client_certificate: true': `\n              session_ticket_keys: { keys: [{ filename: ${keys.bytes80} }] }`,
    },
    isServed: false,
  },
];

const present = await whereAvailable([...new Set(CASES.map(({ program }) => program))]);

for (const { program, setting, more, isServed } of CASES.filter((each) => present.includes(each.program)))
  test(`${program.title}, ${setting}: a session of a revoked client is ${isServed ? 'served' : 'refused'}`, async () => {
    const { ca, server, callOf, revoke } = await crlStage(program, more);
    const client = await ca.issue();
    const guests = [];
    for (const tls of TLS_VERSIONS) {
      const call = { ...callOf(client), tls };
      const { session } = await visit(call);
      const again = await visit({ ...call, session });
      assert.is(again.isServed, true, tls);
      // Where nothing resumes, the list alone decides.
      if (isServed) assert.is(again.isResumed, true, tls);
      guests.push({ ...call, session });
    }
    await revoke(client);
    await sleep(SETTLED_MS);
    for (const call of guests) {
      // A server that is still about to load its list breaks off connections of whatever client.
      if (isServed)
        await eventually(`the session is served, in TLS ${call.tls}`, async () => {
          const late = await visit(call);
          return late.isServed && late.isResumed;
        });
      else assert.is((await visit(call)).isServed, false, call.tls);
    }
    await server.stop();
  });

test.run();
