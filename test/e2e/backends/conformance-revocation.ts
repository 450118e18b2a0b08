import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BackendDefinition, BackendDeps } from '../../../src/backends/backend.ts';
import { BACKENDS } from '../../../src/backends/index.ts';
import { issueRequest, leafOf } from '../../unit/issue-request.ts';
import type { Shared, Subject } from './subject.ts';

const { signal } = new AbortController();

/** Registers the test of `revoke`, which nothing of the controller calls yet: the backend is asked directly. */
export function registerRevocation({ type, exempt }: Subject, shared: () => Promise<Shared>): void {
  if (exempt.revocation !== undefined) {
    test(`${type}: it doesn't claim to revoke`, () => {
      const definition = (BACKENDS as readonly BackendDefinition<never>[]).find((each) => each.type === type);
      assert.is(definition?.create({} as never, {} as BackendDeps).revoke, undefined);
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
}
