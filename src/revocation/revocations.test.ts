import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { after, DAY, HOUR, MINUTE, NOW, SECOND } from '../../test/unit/builders.ts';
import { KEY, RevocationWorld, wanted } from '../../test/unit/revocation-world.ts';
import { ApiError, AuthorityError, DeniedError, RetryableError } from '../errors.ts';
import { MOST_OWED } from './register.ts';

const away = () => new AuthorityError('AuthorityUnreachable', 'it is away');
const numbered = (count: number) => Array.from({ length: count }, (_, index) => (0x100000 + index).toString(16));

function replica(world: RevocationWorld) {
  const [first] = world.replicas;
  if (first === undefined) throw new Error('there is none');
  return first;
}

test('what is asked for is noted down before it is revoked, and once it is done nothing is written any more', async () => {
  const world = new RevocationWorld();
  world.want(wanted('aa', 'keyCompromise'), wanted('bb'));
  await world.settle();
  assert.equal(
    [...world.revoked],
    [
      ['aa', 'keyCompromise'],
      ['bb', 'unspecified'],
    ],
  );
  assert.equal(
    world.journal.lines.filter((line) => line !== 'leading'),
    ['write', 'write', 'revoke', 'revoke', 'write'],
  );
  assert.is(replica(world).revocations.viewOf(world.resource).stateOf('aa')?.state, 'Revoked');
});

test('an authority that revokes nothing is not reconciled again and again for what is asked', async () => {
  const world = new RevocationWorld({ by: 'nothing' });
  world.want(wanted('aa'));
  await world.settle();
  await world.settle();
  assert.ok(replica(world).reconciles <= 3, `${replica(world).reconciles} reconcile runs`);
  assert.match(replica(world).revocations.viewOf(world.resource).unable ?? '', 'revokes nothing');
  assert.is(world.writes, 0);
});

test('an authority that fails for all is tried with one certificate at a time, ever more slowly', async () => {
  const world = new RevocationWorld();
  world.journal.refuse('revoke', ...Array.from({ length: 10_000 }, away));
  world.want(...numbered(300).map((each) => wanted(each)));
  const end = after(HOUR);
  while (world.clock.now() < end) {
    await replica(world).turn();
    const inMs = (replica(world).nextAt ?? end).getTime() - world.clock.now().getTime();
    await world.clock.advance(Math.max(1, inMs));
  }
  const tries = world.journal.count('revoke refused');
  assert.ok(tries >= 5 && tries <= 40, `${tries} requests in an hour`);
});

test('one certificate that the authority always fails for does not keep the others', async () => {
  const world = new RevocationWorld();
  world.journal.refuse('revoke', away());
  world.want(wanted('aa'), wanted('bb'), wanted('cc'));
  await replica(world).turn();
  await world.clock.advance(10 * MINUTE);
  world.journal.refuse('revoke', new RetryableError('AuthorityUnavailable', 'only this one'));
  await replica(world).turn();
  // The first is tried last.
  assert.equal([...world.revoked.keys()].sort(), ['aa', 'cc']);
});

test('what the authority refuses is asked again each hour, and the rest at once', async () => {
  const world = new RevocationWorld();
  const no = () => new DeniedError('RequestDenied', 'no');
  world.journal.refuse('revoke', no(), no(), no(), no());
  world.want(...['a1', 'a2', 'a3', 'a4', 'a5'].map((each) => wanted(each)));
  replica(world).reconcileCertificates();
  await replica(world).look();
  assert.equal(
    [...replica(world).woken].sort(),
    ['a1', 'a2', 'a3', 'a4', 'a5'].map((each) => `team/c${each}`),
  );
  assert.equal([...world.revoked.keys()], ['a5']);
  assert.is(replica(world).revocations.viewOf(world.resource).stateOf('a1')?.state, 'Refused');
  assert.is(replica(world).findings?.problems.length, 4);
  assert.ok((replica(world).nextAt ?? NOW) >= after(HOUR));
  await world.settle();
  assert.is(world.revoked.size, 5);
});

test('a clock that was set back by a day does not put a failed revocation off', async () => {
  const world = new RevocationWorld();
  world.journal.refuse('revoke', new DeniedError('RequestDenied', 'no'));
  world.want(wanted('aa'));
  await replica(world).turn();
  world.clock.jump(-DAY);
  await replica(world).turn();
  assert.is(world.revoked.size, 1);
});

test('more than may be owed at once is revoked in turns, and none is forgotten', async () => {
  const world = new RevocationWorld();
  world.want(...numbered(MOST_OWED + 150).map((each) => wanted(each)));
  await replica(world).turn();
  assert.is(replica(world).findings?.problems[0]?.reason, 'RegisterFull');
  await world.settle();
  assert.is(world.revoked.size, MOST_OWED + 150);
});

test('a full register does not wake the certificates that have no room in it', async () => {
  const world = new RevocationWorld();
  world.journal.refuse('revoke', ...Array.from({ length: 10_000 }, away));
  world.want(...numbered(MOST_OWED + 150).map((each) => wanted(each)));
  await replica(world).turn();
  for (let look = 0; look < 3; look++) {
    await replica(world).look();
    assert.is(replica(world).woken.size, 0);
  }
  assert.is(Object.keys(world.registered()).length, MOST_OWED);
});

test('what is asked of an authority with many certificates is collected for longer, as each look at it takes longer', async () => {
  const world = new RevocationWorld();
  const notedAfterMs = async (certificates: number) => {
    world.runtime.certificates = certificates;
    await replica(world).look();
    replica(world).nextAt = undefined;
    replica(world).revocations.ask(KEY, 'team/client', [
      wanted(String(certificates).length.toString().padStart(2, '0')),
    ]);
    return (replica(world).nextAt ?? NOW).getTime() - world.clock.now().getTime();
  };
  assert.is(await notedAfterMs(1), 500);
  assert.is(await notedAfterMs(20_000), 2_000);
  assert.is(await notedAfterMs(1_000_000), 5_000, 'deletions wait for it');
});

test('a register that Certwheel has not written here is said, and has nothing revoked', async () => {
  const donor = new RevocationWorld();
  donor.journal.refuse('revoke', away());
  donor.want(wanted('dead'));
  await replica(donor).turn();
  const world = new RevocationWorld();
  world.secret = { ...donor.secret, metadata: { ...donor.secret?.metadata, uid: 'uid-of-copy' } };
  world.want(wanted('aa'));
  for (let time = 0; time < 3; time++) {
    await replica(world).turn();
    await world.clock.advance(MINUTE);
  }
  assert.match(replica(world).findings?.registerProblem ?? '', 'certwheel.io/adopt=uid-of-copy');
  assert.equal([world.revoked.size, world.writes], [0, 0]);
  world.secret = {
    ...world.secret,
    metadata: { ...world.secret.metadata, annotations: { 'certwheel.io/adopt': 'uid-of-copy' } },
  };
  await world.settle();
  assert.equal([...world.revoked.keys()].sort(), ['aa', 'dead']);
});

test('a serial number of the spec that is noted down wakes all certificates of the authority', async () => {
  const world = new RevocationWorld();
  world.issued.set('aa', wanted('aa'));
  await replica(world).turn();
  assert.is(replica(world).membersWoken, 0);
  world.specify({ serials: ['aa=keyCompromise'] });
  await replica(world).turn();
  assert.is(replica(world).membersWoken, 1);
  await replica(world).turn();
  assert.is(replica(world).membersWoken, 1);
});

test('an expired certificate in a ledger wakes no certificate and is not written', async () => {
  for (const revocation of [{ deleted: 'Revoke', delay: '0s' }, { serials: ['aa'] }]) {
    const world = new RevocationWorld();
    world.specify(revocation);
    world.issued.set('aa', { ...wanted('aa'), notAfter: after(-DAY), isLost: true });
    for (let look = 0; look < 3; look++) {
      await replica(world).turn();
      await world.clock.advance(61 * SECOND);
    }
    assert.is(replica(world).membersWoken, 0);
    assert.is(world.writes, 0);
  }
});

test('the CRLs of an authority that is deleted are removed, also where the API server is away at first', async () => {
  const world = new RevocationWorld({ by: 'crl' });
  world.crls = [{ generation: 1, number: '1', thisUpdate: '', nextUpdate: '', entries: 0, bytes: 1 }];
  await replica(world).look();
  const away = () => new ApiError(503, 'ServiceUnavailable', 'away', { resource: 'configmaps' });
  world.journal.refuse('withdraw', away(), away());
  replica(world).revocations.forget(KEY);
  await world.clock.advance(MINUTE);
  assert.equal(world.withdrawn, ['uid']);
});

test('CRLs that are published stay in the status while the register can not be read', async () => {
  const world = new RevocationWorld({ by: 'crl' });
  const crls = [{ generation: 1, number: '1', thisUpdate: '', nextUpdate: '', entries: 0, bytes: 1 }];
  world.resource = { ...world.resource, status: { ...world.resource.status, revocation: { crls } } } as never;
  world.journal.refuse('read', new ApiError(500, 'InternalError', 'no', { resource: 'secrets' }));
  await replica(world).look();
  assert.equal(replica(world).findings?.crls, crls);
});

test('spec.serials has only what a ledger lists revoked, and the rest is said', async () => {
  const world = new RevocationWorld();
  world.issued.set('aa', wanted('aa'));
  world.specify({ serials: ['aa=superseded', 'dead'] });
  await replica(world).turn();
  await replica(world).turn();
  assert.equal([...world.revoked], [['aa', 'superseded']]);
  assert.equal(
    replica(world).findings?.problems.map(({ serialNumber, reason }) => [serialNumber, reason]),
    [['dead', 'NotInLedger']],
  );
  world.specify({ serials: ['aa=keyCompromise'] });
  await replica(world).turn();
  await replica(world).turn();
  assert.equal(replica(world).findings?.problems, []);
  assert.is(replica(world).revocations.viewOf(world.resource).stateOf('aa')?.reason, 'keyCompromise');
});

test('a certificate whose Secret is gone is revoked by policy once delay has passed, whatever the clock does', async () => {
  const world = new RevocationWorld();
  world.issued.set('aa', { ...wanted('aa'), isLost: true });
  world.issued.set('bb', wanted('bb'));
  world.specify({ deleted: 'Revoke', delay: '1h' });
  await replica(world).turn();
  world.clock.jump(-DAY);
  await replica(world).turn();
  await world.clock.advance(HOUR + MINUTE);
  await replica(world).turn();
  assert.equal([...world.revoked.keys()], ['aa']);
});

test('a finalizer that waits learns that a former process has noted it down', async () => {
  const world = new RevocationWorld();
  world.want(wanted('aa'));
  await world.settle();
  world.restart();
  const process = replica(world);
  process.reconcileCertificates();
  await process.look();
  assert.ok(process.woken.has('team/caa'));
});

test('after a restart a revoked certificate is known before certificates are looked at, by one read', async () => {
  const world = new RevocationWorld();
  world.want(wanted('aa'));
  await world.settle();
  world.restart();
  const { revocations } = replica(world);
  const stateNow = () => revocations.viewOf(world.resource).stateOf('aa')?.state;
  assert.is(stateNow(), undefined);
  await revocations.learn(world.resource, world.runtime);
  assert.is(stateNow(), 'Revoked');
  const reads = () => world.journal.lines.filter((line) => line.startsWith('read')).length;
  const before = reads();
  await revocations.learn(world.resource, world.runtime);
  assert.is(reads(), before);
});

test('a register that can not be read yet keeps nobody from going on', async () => {
  const world = new RevocationWorld();
  world.want(wanted('aa'));
  await world.settle();
  world.restart();
  world.journal.refuse('read', new ApiError(500, 'InternalError', 'no', { resource: 'secrets' }));
  await replica(world).revocations.learn(world.resource, world.runtime);
  await world.settle();
  assert.is(replica(world).revocations.viewOf(world.resource).stateOf('aa')?.state, 'Revoked');
});

test('what expires before it could be noted down is let go', async () => {
  const world = new RevocationWorld();
  world.want({ ...wanted('aa'), notAfter: after(SECOND) });
  world.journal.refuse('write', new ApiError(500, 'InternalError', 'no', { resource: 'secrets' }));
  await replica(world).turn();
  await world.clock.advance(MINUTE);
  await world.settle();
  assert.equal([world.revoked.size, replica(world).findings?.owed], [0, 0]);
});

test('an authority that is deleted forgets what was asked of it', async () => {
  const world = new RevocationWorld();
  replica(world).revocations.ask(KEY, 'team/caa', [wanted('aa')]);
  replica(world).revocations.forget(KEY);
  await replica(world).look();
  assert.equal([world.revoked.size, world.writes], [0, 0]);
});

test.run();
