import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ReferencedData } from '../../../src/backends/backend-deps.ts';
import type { KeptState } from '../../../src/backends/backend-state.ts';
import { ApiError, type CertwheelError } from '../../../src/errors.ts';
import { thrownBy } from '../../unit/thrown-by.ts';
import { lazily } from '../support/lazily.ts';
import { acmeDirect, acmeRequest, dnsSolver, issueAll, StateInMemory } from './acme-direct.ts';
import { startChallengeServer } from './servers/challenges.ts';
import { type Pebble, startPebble } from './servers/pebble.ts';
import { base64 } from './vault-world.ts';

// The account at a strict server: registered once, whoever asks, and its key replaced.

const { signal } = new AbortController();
const SERVERS_ALONE = 'issued a certificate for servers alone';
const challenges = lazily(startChallengeServer);
const pebble = lazily(async () => startPebble(await challenges.get(), { badNonces: 20 }));

async function specOf(server: Pebble) {
  const trustBundle = { inline: await server.root(), partialChain: false };
  return { server: server.directory, caBundle: base64(server.ca), trustBundle };
}

async function setUp() {
  const answers = await challenges.get();
  return { spec: await specOf(await pebble.get()), solverFor: () => dnsSolver(answers) };
}

const text = (state: StateInMemory, key: string) => state.kept?.data[key]?.toString();

test('two replicas that begin at once end with one account', async () => {
  const { spec } = await setUp();
  for (let round = 0; round < 5; round++) {
    const state = new StateInMemory();
    const replicas = [1, 2, 3].map(() => acmeDirect(spec, { state }));
    await Promise.all(replicas.map(({ backend }) => backend.check(signal)));
    const registered = replicas.flatMap(({ logged }) =>
      logged.filter((line) => line.startsWith('ACME account registered')),
    );
    const urls = new Set(registered.map((line) => /"account":"([^"]+)"/.exec(line)?.[1]));
    assert.equal([...urls], [text(state, 'url')]);
  }
});

test('a crash after the key was kept, or after the server knew it: the account is the same', async () => {
  const { spec } = await setUp();
  for (const crashAt of [1, 2]) {
    const state = new CrashingState(crashAt);
    await thrownBy(acmeDirect(spec, { state }).backend.check(signal));
    const key = text(state, 'account.key');
    state.crashAt = 0;
    const { backend, logged } = acmeDirect(spec, { state });
    await backend.check(signal);
    if (crashAt === 2) {
      assert.is(text(state, 'account.key'), key);
      assert.equal(logged, [], 'the server has it already');
    }
    assert.ok(text(state, 'url'));
  }
});

test('the key of the account is replaced, and the account stays; the former key is refused, and read anew', async () => {
  const { spec, solverFor } = await setUp();
  const state = new StateInMemory();
  const former = acmeDirect(spec, { state, solverFor });
  await former.backend.check(signal);
  const before = { url: text(state, 'url'), key: text(state, 'account.key') };
  await acmeDirect({ ...spec, accountKeyRollover: 1 }, { state }).backend.check(signal);
  assert.is(text(state, 'url'), before.url);
  assert.is.not(text(state, 'account.key'), before.key);
  assert.equal([text(state, 'next.key'), text(state, 'rollover')], [undefined, '1']);
  const errors = [];
  for (let times = 0; times < 2; times++)
    errors.push(((await thrownBy(issueAll(former.backend, await acmeRequest()))) as Error).message);
  assert.not.match(errors[0] ?? '', SERVERS_ALONE);
  assert.match(errors[1] ?? '', SERVERS_ALONE);
  // Once is enough.
  const writes = state.writes;
  await acmeDirect({ ...spec, accountKeyRollover: 1 }, { state }).backend.check(signal);
  assert.is(state.writes, writes);
});

test('a crash while the key is replaced, before or after the server has done it: the next look ends it', async () => {
  const { spec } = await setUp();
  for (const crashAt of [1, 2]) {
    const state = new CrashingState(0);
    await acmeDirect(spec, { state }).backend.check(signal);
    const url = text(state, 'url');
    state.crashAt = state.writes + crashAt;
    await thrownBy(acmeDirect({ ...spec, accountKeyRollover: 1 }, { state }).backend.check(signal));
    state.crashAt = 0;
    const two = [1, 2].map(() => acmeDirect({ ...spec, accountKeyRollover: 1 }, { state }).backend);
    const ended = await Promise.allSettled(two.map((each) => each.check(signal)));
    assert.ok(ended.some(({ status }) => status === 'fulfilled'));
    for (const each of two) await each.check(signal);
    assert.equal([text(state, 'url'), text(state, 'rollover'), text(state, 'next.key')], [url, '1', undefined]);
  }
});

test('an account is bound to one of the CA where that demands it, and each mistake is named', async () => {
  const answers = await challenges.get();
  const key = randomBytes(32).toString('base64url');
  const server = await startPebble(answers, { accountKeys: { 'kid-1': key } });
  try {
    const plain = await specOf(server);
    const spec = { ...plain, externalAccountBinding: { keyID: 'kid-1', keySecretRef: { name: 'eab', key: 'secret' } } };
    const messageOf = async (...given: Parameters<typeof acmeDirect>) => {
      const error = (await thrownBy(acmeDirect(...given).backend.check(signal))) as CertwheelError;
      assert.not.match(error.message, key);
      return `${error.code}: ${error.message}`;
    };
    assert.match(await messageOf(plain), /^CredentialsNotFound: .*name it in spec.acme.externalAccountBinding/);
    assert.match(
      await messageOf(spec),
      /^CredentialsNotFound: there is no Secret eab in namespace test.*kubectl create secret/,
    );
    assert.match(
      await messageOf(spec, { secrets: { eab: {} } }),
      /^CredentialsNotFound: Secret eab in namespace test has no key secret/,
    );
    assert.match(await messageOf(spec, { secrets: { eab: { secret: 'a b' } } }), /^CredentialsRefused: .*no base64url/);
    const wrong = randomBytes(32).toString('base64url');
    assert.match(
      await messageOf(spec, { secrets: { eab: { secret: wrong } } }),
      /^CredentialsRefused: .*a new account was.*compare with .*keyID kid-1, and Secret test\/eab, key secret/,
    );
    await acmeDirect(spec, { secrets: { eab: { secret: `${key}\n` } } }).backend.check(signal);
  } finally {
    await server.stop();
  }
});

test('another e-mail address is told to the server once', async () => {
  const { spec } = await setUp();
  const state = new StateInMemory();
  await acmeDirect({ ...spec, email: ['one@example.com'] }, { state }).backend.check(signal);
  const url = text(state, 'url');
  await acmeDirect({ ...spec, email: ['two@example.com'] }, { state }).backend.check(signal);
  assert.equal([text(state, 'contact'), text(state, 'url')], ['two@example.com', url]);
  const { writes } = state;
  await acmeDirect({ ...spec, email: ['two@example.com'] }, { state }).backend.check(signal);
  assert.is(state.writes, writes);
});

test('a Secret whose key is damaged is said to be, with the command for a new account', async () => {
  const { spec } = await setUp();
  const state = new StateInMemory();
  await state.write({ 'account.key': Buffer.from('no key') }, undefined);
  const error = (await thrownBy(acmeDirect(spec, { state }).backend.check(signal))) as CertwheelError;
  assert.is(error.code, 'CredentialsRefused');
  assert.match(error.message, 'Secret test/ca-acme-account, key account.key');
  assert.match(error.message, 'kubectl delete secret -n test ca-acme-account');
});

test('a directory that is none, and a profile that the server lacks', async () => {
  const { spec } = await setUp();
  const messageOf = async (change: object) =>
    ((await thrownBy(acmeDirect({ ...spec, ...change }).backend.check(signal))) as Error).message;
  const { origin } = new URL(spec.server);
  assert.match(await messageOf({ server: `${origin}/nothing` }), 'is this its URL?');
  assert.match(await messageOf({ profile: 'absent' }), 'has no profile absent (spec.acme.profile); it has: ');
  assert.match(
    await messageOf({ server: 'https://acme-v02.api.letsencrypt.org/directory' }),
    /Let's Encrypt issues no client certificates.*2026-02-11.*2026-07-08/,
  );
});

/** Fails at that write, after it has happened or (the first of all) before. */
class CrashingState extends StateInMemory {
  crashAt: number;

  constructor(crashAt: number) {
    super();
    this.crashAt = crashAt;
  }

  override async write(data: ReferencedData, previous: KeptState | undefined): Promise<KeptState> {
    if (this.writes + 1 === this.crashAt && this.crashAt > 1) throw new ApiError(500, 'Crash', 'before the write');
    const kept = await super.write(data, previous);
    if (this.writes === this.crashAt) throw new ApiError(500, 'Crash', 'after the write');
    return kept;
  }
}

test.after(async () => {
  await (await pebble.get()).stop();
  await (await challenges.get()).stop();
});
test.run();
