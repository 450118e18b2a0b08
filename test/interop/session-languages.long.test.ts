/** What Node.js, Go and Java do with a resumed session whose client they would refuse in a full handshake; the settings. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stopAll } from '../teardown.ts';
import { go, installGo } from './servers/go.ts';
import { installJava, java } from './servers/java.ts';
import { installNode, node } from './servers/node.ts';
import { available } from './support/available.ts';
import { TLS_VERSIONS } from './support/cells.ts';
import type { ServerProgram, ServerReader } from './support/reader.ts';
import { comeBack, type Visitor, visit, visitor } from './support/sessions.ts';

test.after(stopAll);

interface Case {
  readonly reader: ServerReader;
  /** What it does by itself. */
  readonly says: string;
  readonly install?: () => Promise<ServerProgram>;
  readonly visitor?: { readonly lifeMs: number };
  check(visitor: Visitor): Promise<void>;
}

const resumed = { isServed: true, isResumed: true };
const refused = { isServed: false, isResumed: false };
const full = { isServed: true, isResumed: false };

async function again({ call, first }: Visitor) {
  const { isServed, isResumed } = await visit({ ...call, session: first.session });
  return { isServed, isResumed };
}

const afterExpiry = (expected: object) => async (guest: Visitor) => {
  assert.equal(await again(guest), resumed);
  await guest.untilRefused();
  assert.equal(await again(guest), expected);
};

const afterRemoval = (expected: object) => async (guest: Visitor) => {
  assert.equal(await again(guest), resumed);
  await guest.removeCa();
  assert.equal(await again(guest), expected);
};

async function afterRotation(guest: Visitor): Promise<void> {
  assert.equal(await again(guest), resumed);
  await guest.untilRotationEndsSession();
}

/** With a timeout of four seconds and a certificate that lives for six. */
async function afterTimeout(guest: Visitor): Promise<void> {
  const visits = await comeBack(guest, 12);
  assert.equal(visits.at(0)?.isResumed, true);
  assert.equal(visits.at(-1)?.isServed, false, 'coming back each second does not prolong the session');
}

/** With a timeout of three seconds. */
async function alwaysResumed(guest: Visitor): Promise<void> {
  const visits = await comeBack(guest, 6);
  assert.ok(visits.every(({ isServed, isResumed }) => isServed && isResumed));
  // With TLS 1.2 the timeout does not even end a session from before all the others.
  assert.is((await again(guest)).isResumed, guest.call.tls === '1.2');
}

const neverResumed = async (guest: Visitor) => assert.equal(await again(guest), full);

const SHORT_LIFE = { lifeMs: 5_000 };

const CASES: readonly Case[] = [
  { reader: node, says: 'a session outlives the certificate', visitor: SHORT_LIFE, check: afterExpiry(resumed) },
  {
    reader: node,
    says: 'a session ends with the CA: each context has ticket keys of its own',
    check: afterRemoval(refused),
  },
  { reader: node, says: 'a rotation of its own certificate ends the sessions', check: afterRotation },
  {
    reader: node,
    says: 'with shared ticketKeys a session outlives the CA',
    install: installNode('{ ticketKeys: Buffer.alloc(48, 7) }'),
    check: afterRemoval(resumed),
  },
  {
    reader: node,
    says: 'sessionTimeout ends a session',
    install: installNode('{ sessionTimeout: 4 }'),
    visitor: { lifeMs: 6_000 },
    check: afterTimeout,
  },
  {
    reader: node,
    says: 'SSL_OP_NO_TICKET switches resumption off',
    install: installNode("{ secureOptions: (await import('node:crypto')).constants.SSL_OP_NO_TICKET }"),
    check: neverResumed,
  },
  { reader: go, says: 'a session ends with the certificate', visitor: SHORT_LIFE, check: afterExpiry(refused) },
  { reader: go, says: 'a session ends with the CA', check: afterRemoval(refused) },
  {
    reader: go,
    says: 'SessionTicketsDisabled switches resumption off',
    install: installGo('-session-tickets=false'),
    check: neverResumed,
  },
  {
    reader: java,
    says: 'a session outlives the certificate, and checkValidity() refuses the request',
    visitor: SHORT_LIFE,
    check: afterExpiry({ isServed: false, isResumed: true }),
  },
  { reader: java, says: 'a session outlives the CA', check: afterRemoval(resumed) },
  {
    reader: java,
    says: 'setSessionTimeout does not limit a client that comes back',
    install: installJava('-Dtls.sessionTimeout=3'),
    check: alwaysResumed,
  },
  {
    reader: java,
    says: 'without tickets a reload ends the sessions',
    install: installJava('-Djdk.tls.server.enableSessionTicketExtension=false'),
    check: afterRemoval(refused),
  },
  {
    reader: java,
    says: 'without tickets a rotation of its own certificate ends the sessions',
    install: installJava('-Djdk.tls.server.enableSessionTicketExtension=false'),
    check: afterRotation,
  },
];

for (const { reader, says, install = reader.install, visitor: guest = {}, check } of CASES) {
  const program = await available(reader.title, install);
  if (program === undefined) continue;
  test(`${reader.title}: ${says}`, async () => {
    await Promise.all(
      TLS_VERSIONS.map(async (tls) => {
        const one = await visitor(reader, program, { tls, ...guest });
        await check(one);
        await one.stop();
      }),
    );
  });
}

test.run();
