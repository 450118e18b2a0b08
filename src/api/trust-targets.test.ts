/** What is demanded of a trust target, where no verifier can show it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClusterAuthorityTrust } from './generated/types.ts';
import { parseTrustTargets } from './trust-targets.ts';

const target = (name: string, requiredProof: 'Written' | 'Delivered' | 'Probed') => ({
  name,
  requiredProof,
  configMap: { name: `${name}-ca` },
});
const verifier = (targetName?: string) => ({ name: 'gateway', ...(targetName === undefined ? {} : { targetName }) });

function proofs(trust: { targets: object[]; verifiers?: object[] }, canProbe = true) {
  return parseTrustTargets(trust as ClusterAuthorityTrust, canProbe).map(({ requiredProof }) => requiredProof);
}

test('Probed counts where a verifier names the target, or names none', () => {
  const targets = [target('one', 'Probed'), target('two', 'Probed')];
  assert.equal(proofs({ targets, verifiers: [verifier('two')] }), ['Delivered', 'Probed']);
  assert.equal(proofs({ targets, verifiers: [verifier()] }), ['Probed', 'Probed']);
});

test('without a verifier, and without a key to sign with, the proof is Delivered', () => {
  const targets = [target('one', 'Probed'), target('two', 'Written')];
  assert.equal(proofs({ targets }), ['Delivered', 'Written']);
  assert.equal(proofs({ targets, verifiers: [verifier()] }, false), ['Delivered', 'Written']);
});

test.run();
