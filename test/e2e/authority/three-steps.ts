import * as assert from 'uvu/assert';
import type { History, SecretState } from './history.ts';

/**
 * Fails unless the history of these Secrets is that of a CA swap from v1 to v2 in its three steps: all trust both before
 * the new one signs, and none holds a certificate of the old one when it leaves the first ca.crt; with as much time in
 * between as workloads are given, which must be whole seconds: those are what the API server tells of its writes.
 */
export function provesThreeSteps(history: History, names: readonly string[], propagationMs: number): void {
  const { states, before } = history;
  const firstOfEach = (wanted: (state: SecretState) => boolean) =>
    names.map((name) => states.find((each) => each.name === name && wanted(each))?.atMs ?? Number.POSITIVE_INFINITY);
  const at = (index: number, describe: (state: SecretState) => string) =>
    [...before(index).values()].map((each) => `${each.name} ${describe(each)}`).sort();
  const expected = (text: string) => names.map((name) => `${name} ${text}`).sort();

  const signs = states.findIndex(({ issuer }) => issuer === 'v2');
  assert.ok(signs > 0, 'the new CA has signed');
  assert.equal(
    at(signs, ({ trusted }) => trusted.join()),
    expected('v1,v2'),
    'all trust the new CA before it signs',
  );
  const spreadMs = Math.max(...firstOfEach(({ trusted }) => trusted.includes('v2')));
  const signedAfterMs = (states[signs]?.atMs ?? 0) - spreadMs;
  assert.ok(signedAfterMs >= propagationMs, `it signs ${signedAfterMs} ms after the last ca.crt has it`);

  const drops = states.findIndex(({ trusted }) => !trusted.includes('v1'));
  assert.ok(drops > signs, 'the old CA has gone, and later');
  assert.equal(
    at(drops, ({ issuer }) => issuer),
    expected('v2'),
    'nobody has a certificate of the old CA when that goes',
  );
  const replacedMs = Math.max(...firstOfEach(({ issuer }) => issuer === 'v2'));
  const droppedAfterMs = (states[drops]?.atMs ?? 0) - replacedMs;
  assert.ok(droppedAfterMs >= propagationMs, `it goes ${droppedAfterMs} ms after its last certificate`);
  assert.equal(
    at(states.length, ({ trusted }) => trusted.join()),
    expected('v2'),
    'in the end nobody trusts the old CA',
  );
  for (const { secret, issuer, trusted } of states) {
    const where = `at version ${secret.object.metadata?.resourceVersion}`;
    assert.ok(trusted.includes(issuer), `${where} a certificate of ${issuer} beside a ca.crt of ${trusted}`);
  }
}
