import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type LeafOptions, leaf, NOW, root } from '../../test/pki/make.ts';
import { aCertificate, after, anAuthority, anObserved, HOUR, MINUTE, RUN, SECOND } from '../../test/unit/builders.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import type { Issued } from '../backends/backend.ts';
import { ANY_CERTIFICATE } from '../backends/backend.ts';
import { bundleOf } from '../pki/bundle.ts';
import { generateKey } from '../pki/keys.ts';
import { flawOf, proven } from './prove.ts';

const ca = await root();
const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
const seen = anObserved(aCertificate({ duration: '1h' })).build();
const remote = { ...ANY_CERTIFICATE, lifetime: 'atMost', remote: true, persistKey: false } as const;
const view = anAuthority({ trust: bundleOf([ca.certificate]), capabilities: remote });

async function answer(options: LeafOptions = {}): Promise<Issued> {
  const { identity } = seen.resource.spec;
  const life = { notBefore: after(-MINUTE), notAfter: after(HOUR) };
  return { chain: [(await leaf(ca, { ...identity, ...life, key, ...options })).certificate] };
}

async function problemOf(options: LeafOptions, authority = view): Promise<string> {
  const made = { issued: await answer(options), key, issuedAt: NOW };
  return flawOf(made, seen, authority, NOW)?.problem ?? 'none';
}

test('a certificate that ends before it could be renewed is refused, except from a CA that Certwheel holds', async () => {
  const own = { ...view, capabilities: { ...remote, remote: false } };
  assert.is(await problemOf({ notAfter: after(10 * SECOND) }), 'none');
  assert.match(await problemOf({ notAfter: after(9 * SECOND) }), 'too soon to be renewed before');
  assert.is(await problemOf({ notAfter: after(9 * SECOND) }, own), 'none');
});

test('where an authority fills the subject by itself, a name that Kubernetes reserves is refused', async () => {
  const identity = ['commonName'] as const;
  const filling = { ...view, capabilities: { ...remote, identity } };
  const subject = (organization: string) => ({ commonName: 'client', organizations: [organization] });
  assert.is(await problemOf({ subject: subject('Payments') }, filling), 'none');
  for (const name of ['system:masters', ' System:masters', 'kubeadm:cluster-admins', 'Kubeadm:x'])
    assert.is(
      await problemOf({ subject: subject(name) }, filling),
      `the subject holds "${name}", which was not requested`,
    );
});

test('an authority that rounds lives may grant more than was asked for, but not more than its own limit', async () => {
  const rounding = { ...view, capabilities: { ...remote, lifetime: 'rounded' as const } };
  const limits = (maxDurationMs: number | undefined) => ({ ...rounding, limits: { ...view.limits, maxDurationMs } });
  const day = { notBefore: after(-5 * MINUTE), notAfter: after(24 * HOUR) };
  assert.is(await problemOf(day, limits(undefined)), 'none');
  assert.is(await problemOf(day, limits(24 * HOUR)), 'none');
  // Its clock may be ahead.
  assert.is(await problemOf({ ...day, notAfter: after(24 * HOUR + MINUTE) }, limits(24 * HOUR)), 'none');
  assert.is(
    await problemOf(day, limits(2 * HOUR)),
    'it is valid for 24h where limits.maxDuration of the authority is 2h: raise that, or have the authority grant less',
  );
});

test('a certificate that was held back until its notBefore counts as issued at that moment', async () => {
  const clock = new FakeClock(NOW);
  const ahead = await answer({ notBefore: after(30 * SECOND) });
  const waiting = proven(ahead, key, seen, view, clock, RUN);
  await clock.advance(30 * SECOND);
  assert.equal((await waiting).issuedAt, after(30 * SECOND));
});

test('a certificate that waits for a clock that is ahead releases its worker', async () => {
  const clock = new FakeClock(NOW);
  let released = 0;
  const run = {
    ...RUN,
    releaseWorker: <T>(wait: () => Promise<T>) => {
      released += 1;
      return wait();
    },
  };
  const ahead = await answer({ notBefore: after(30 * SECOND) });
  const waiting = proven(ahead, key, seen, view, clock, run);
  assert.is(released, 1);
  await clock.advance(30 * SECOND);
  assert.is((await waiting).issued, ahead);
  await proven(await answer({ notBefore: clock.in(0) }), key, seen, view, clock, run);
  assert.is(released, 1);
});

test.run();
