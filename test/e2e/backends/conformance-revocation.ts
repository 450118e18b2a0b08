import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { REVOKE_ANNOTATION } from '../../../src/api/revocation.ts';
import type { BackendDefinition } from '../../../src/backends/backend.ts';
import type { BackendDeps } from '../../../src/backends/backend-deps.ts';
import { BACKENDS } from '../../../src/backends/index.ts';
import { issueRequest, leafOf } from '../../unit/issue-request.ts';
import { patchCertificate } from '../support/edits.ts';
import { PATIENCE_MS } from '../support/eventually.ts';
import { conditionOf, create, statusOf, untilReady } from '../support/objects.ts';
import { eventually } from '../support/world.ts';
import { readyAuthority } from './place.ts';
import { certificateOf, type Shared, type Subject } from './subject.ts';

const { signal } = new AbortController();

/** Registers the tests of `revoke`: the backend by itself, and what annotations have the controller ask of it. */
export function registerRevocation(subject: Subject, shared: () => Promise<Shared>): void {
  const { type, exempt, withoutRevocation = {} } = subject;
  if (exempt.revocation !== undefined) {
    test(`${type}: it doesn't claim to revoke`, () => {
      const definition = (BACKENDS as readonly BackendDefinition<never>[]).find((each) => each.type === type);
      const deps = { objects: { namespace: 'test' } } as BackendDeps;
      assert.is(definition?.create(withoutRevocation as never, deps).revoke, undefined);
    });
    return;
  }

  test(`${type}: what is revoked, once or twice, is told as that by the server, and nothing else`, async () => {
    const { revocation } = (await shared()).served;
    if (revocation === undefined) throw new Error(`${type} can't show that it revokes`);
    const { saysOf, superseded } = revocation;
    const backend = revocation.backend();
    const [kept, revoked] = [
      leafOf(await backend.issue(await issueRequest('kept'), signal)),
      leafOf(await backend.issue(await issueRequest('revoked'), signal)),
    ];
    const { serialNumber, der: leaf } = revoked;
    for (let time = 1; time <= 2; time++) {
      await backend.revoke?.({ serialNumber, leaf }, 'superseded', signal);
      assert.match((await saysOf(serialNumber)) ?? 'nothing', superseded);
    }
    assert.is(await saysOf(kept.serialNumber), undefined);
  });
  test(`${type}: what an annotation asks to revoke is replaced first, and then revoked at the server`, async () => {
    const here = await shared();
    const { revocation } = here.served;
    if (revocation === undefined) throw new Error(`${type} can't show that it revokes`);
    const where = await readyAuthority(here, subject);
    const { world, namespace } = where;
    await create(world, certificateOf(subject, namespace, 'alice'));
    await create(world, certificateOf(subject, namespace, 'bob'));
    await Promise.all(['alice', 'bob'].map((name) => untilReady(world, namespace, name)));
    const { serialNumber: first = '' } = await statusOf(world, namespace, 'alice');
    const annotations = { [REVOKE_ANNOTATION]: `${first}=superseded` };
    await patchCertificate(world, namespace, 'alice', { metadata: { annotations } });

    const said = await eventually(`${first} is revoked`, async () => (await saysOf(first)) ?? false, PATIENCE_MS);
    assert.match(said, revocation.superseded);
    const status = await eventually('status says so', async () => {
      const now = await statusOf(world, namespace, 'alice');
      return now.revocations?.[0]?.state === 'Revoked' && now;
    });
    assert.equal(status.revocations, [{ serialNumber: first, state: 'Revoked' }]);
    const { serialNumber: second = '' } = status;
    assert.is.not(second, first);
    assert.is(conditionOf(status, 'Ready')?.status, 'True');
    const { serialNumber: other = '' } = await statusOf(world, namespace, 'bob');
    for (const each of [second, other]) assert.is(await saysOf(each), undefined);

    function saysOf(serialNumber: string) {
      return revocation?.saysOf(serialNumber) ?? Promise.resolve(undefined);
    }
  });
}
