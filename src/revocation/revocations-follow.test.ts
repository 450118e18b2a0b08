/** One register that two replicas write: the owner of the authority, and one that signs for it too. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RUN } from '../../test/unit/builders.ts';
import { SILENT } from '../../test/unit/own-authority.ts';
import { KEY, RevocationWorld, wanted } from '../../test/unit/revocation-world.ts';
import { authorityKey } from '../api/certificate-authority.ts';
import type { RawObject } from '../api/parse.ts';
import { RetryableError } from '../errors.ts';
import { Revocations } from './revocations.ts';

function twoReplicas() {
  const world = new RevocationWorld();
  const watchers: ((resourceVersion: string | undefined) => void)[] = [];
  const woken: string[] = [];
  /** What each replica has reconciled anew: certificates by name, and `all`. */
  const looked = new Map<string, string[]>([
    ['owner', []],
    ['follower', []],
  ]);
  const replica = (name: string, isOwner: boolean) =>
    new Revocations({
      clock: world.clock,
      log: SILENT,
      ownership: {
        assert: () => {
          if (!isOwner) throw new RetryableError('Conflict', 'another replica has it');
        },
      },
      assertActive: () => {},
      registers: {
        watch: (_resource, onChange) => void watchers.push(onChange),
        leave: () => {},
      },
      namespaceOf: () => 'ns',
      read: async () => world.read(),
      apply: async (manifest) => {
        const stored = world.apply(manifest as RawObject);
        for (const watcher of watchers) watcher(stored.metadata?.resourceVersion);
        return stored;
      },
      issued: async () => world.issued,
      crls: { withdraw: async () => {}, leave: () => {}, look: () => Promise.reject(new Error('it keeps no CRL')) },
      wakeAuthority: () => void woken.push(name),
      wakeCertificate: (key) => void looked.get(name)?.push(key),
      wakeMembers: () => void looked.get(name)?.push('all'),
      noted: () => {},
      revoked: () => {},
      refused: () => {},
    });
  const lookedAt = (name: string) => looked.get(name)?.splice(0);
  return { world, woken, lookedAt, owner: replica('owner', true), follower: replica('follower', false) };
}

test('what a certificate of another replica wants revoked is noted down there, and revoked by the owner alone', async () => {
  const { world, woken, owner, follower } = twoReplicas();
  const { resource, runtime } = world;
  await owner.look(resource, runtime, RUN);
  await follower.follow(resource, runtime);
  follower.ask(KEY, 'team/c1', [wanted('01')]);
  await follower.follow(resource, runtime);
  assert.equal(world.registered(), { '01': 'owed' });
  assert.is(world.requests, 0);
  assert.ok(woken.includes('owner'), 'the watch tells the owner');

  await owner.look(resource, runtime, RUN);
  assert.equal(world.registered(), { '01': 'done' });
  assert.is(world.requests, 1);
  assert.is(follower.viewOf(resource).stateOf('01')?.state, 'Owed');
  await follower.follow(resource, runtime);
  assert.is(follower.viewOf(resource).stateOf('01')?.state, 'Revoked');
});

test('what another replica writes while the register is read is read too', async () => {
  const { world, owner, follower } = twoReplicas();
  const { resource, runtime } = world;
  await owner.look(resource, runtime, RUN);
  await follower.follow(resource, runtime);
  follower.ask(KEY, 'team/c1', [wanted('01')]);
  await follower.follow(resource, runtime);
  const read = world.read.bind(world);
  let isFirst = true;
  world.read = () => {
    const found = read();
    if (isFirst) {
      isFirst = false;
      follower.ask(KEY, 'team/c2', [wanted('02')]);
      // The owner has its answer only after this is written.
      return late.then(() => found) as never;
    }
    return found;
  };
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const look = owner.look(resource, runtime, RUN);
  await follower.follow(resource, runtime);
  resolve();
  await look;
  await owner.look(resource, runtime, RUN);
  assert.equal(world.registered(), { '01': 'done', '02': 'done' });
});

test('two replicas that note down at once lose nothing', async () => {
  const { world, owner, follower } = twoReplicas();
  const { resource, runtime } = world;
  await owner.look(resource, runtime, RUN);
  await follower.follow(resource, runtime);
  owner.ask(KEY, 'team/c1', [wanted('01')]);
  follower.ask(KEY, 'team/c2', [wanted('02')]);
  await Promise.all([owner.look(resource, runtime, RUN), follower.follow(resource, runtime)]);
  for (let round = 0; round < 3; round++) {
    await follower.follow(resource, runtime);
    await owner.look(resource, runtime, RUN);
  }
  assert.equal(world.registered(), { '01': 'done', '02': 'done' });
});

test('what was asked of an authority of the cluster is kept when it changes hands, and of another one its certificates ask', async () => {
  for (const [kind, namespace, registered] of [
    ['ClusterCertificateAuthority', '', { '01': 'owed' }],
    ['CertificateAuthority', 'ns', {}],
  ] as const) {
    const { world, follower } = twoReplicas();
    world.resource = { ...world.resource, kind, namespace };
    const { resource, runtime } = world;
    follower.ask(authorityKey(resource), 'team/c1', [wanted('01')]);
    follower.leave(resource);
    await follower.follow(resource, runtime);
    assert.equal(world.registered(), registered, kind);
  }
});

test('a write of another replica wakes only the certificates that it is about', async () => {
  const { world, lookedAt, owner, follower } = twoReplicas();
  const { resource, runtime } = world;
  owner.ask(KEY, 'team/c1', [wanted('01')]);
  for (let look = 0; look < 2; look++) await owner.look(resource, runtime, RUN);
  assert.equal(world.registered(), { '01': 'done' });
  await follower.follow(resource, runtime);
  assert.equal(lookedAt('follower'), ['all'], 'the register names no owner of a certificate that is revoked already');

  follower.ask(KEY, 'team/c2', [wanted('02')]);
  await follower.follow(resource, runtime);
  lookedAt('follower');
  await owner.look(resource, runtime, RUN);
  await follower.follow(resource, runtime);
  assert.equal(lookedAt('follower'), ['team/c2'], 'it is done');
  await owner.look(resource, runtime, RUN);
  await follower.follow(resource, runtime);
  assert.equal(lookedAt('follower'), []);
});

test('a register that was restored from a backup wakes the certificates that it lacks, and they are noted down again', async () => {
  const { world, lookedAt, owner, follower } = twoReplicas();
  const { resource, runtime } = world;
  await owner.look(resource, runtime, RUN);
  follower.ask(KEY, 'team/c1', [wanted('01')]);
  await follower.follow(resource, runtime);
  const backup = structuredClone(world.secret);
  follower.ask(KEY, 'team/c2', [wanted('02')]);
  await follower.follow(resource, runtime);
  lookedAt('follower');

  // Restored by hand: the same object, with the content of before.
  world.secret = { ...backup, metadata: { ...world.secret?.metadata, resourceVersion: '900' } };
  follower.ask(KEY, 'team/c3', [wanted('03')]);
  for (let round = 0; round < 2; round++) await follower.follow(resource, runtime);
  assert.ok(lookedAt('follower')?.includes('team/c2'));
  follower.ask(KEY, 'team/c2', [wanted('02')]);
  await follower.follow(resource, runtime);
  assert.equal(world.registered(), { '01': 'owed', '02': 'owed', '03': 'owed' });
});

test.run();
