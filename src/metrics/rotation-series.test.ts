import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generation, one, two } from '../../test/unit/planned-rotation.ts';
import { metricsOf, samplesOf } from '../../test/unit/shown-metrics.ts';
import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { RotationFindings } from '../authority/rotation-status.ts';

const authority = { kind: 'CertificateAuthority', namespace: 'ns', name: 'ca' } as CertificateAuthority;
const generations = [generation(1, 'Active', one), generation(2, 'Prepared', two)];
const hold = { reason: 'MembersLackTrust', message: 'x', until: undefined, waitingFor: ['ns/a'] } as const;
const waiting: RotationFindings = {
  generations,
  signing: generations[0],
  plan: { next: { generation: generations[1] as never, to: 'Trusted' }, hold, waitingFor: [], leftBehind: [] },
  certificates: new Map([
    [1, 3],
    [2, 0],
  ]),
  requests: [],
  source: 'secret',
  isElsewhere: false,
};
const settled: RotationFindings = {
  ...waiting,
  plan: { next: undefined, hold: undefined, waitingFor: [], leftBehind: [] },
  certificates: new Map(),
};

async function shown(metrics: ReturnType<typeof metricsOf>): Promise<string[]> {
  const samples = Object.entries(await samplesOf(metrics));
  return samples
    .filter(([name]) => /ca_rotation_|ca_generation_/.test(name))
    .map(([name, value]) => `${name} ${value}`);
}

const ABOUT = 'authority="CertificateAuthority/ns/ca"';

const overruled = (to: string, count: number) => `certwheel_ca_rotation_overruled_total{${ABOUT},to="${to}"} ${count}`;

test('what a CA rotation waits for is shown as long as it waits, and each generation with its certificates', async () => {
  const metrics = metricsOf();
  assert.equal(await shown(metrics), []);
  metrics.showRotation(authority, waiting);
  assert.equal((await shown(metrics)).sort(), [
    `certwheel_ca_generation_certificates{${ABOUT},generation="1",state="Active"} 3`,
    `certwheel_ca_generation_certificates{${ABOUT},generation="2",state="Prepared"} 0`,
    ...['Active', 'Retired', 'Trusted'].map((to) => overruled(to, 0)),
    `certwheel_ca_rotation_waiting{${ABOUT},to="Trusted",reason="MembersLackTrust"} 1`,
  ]);
  metrics.showRotation(authority, settled);
  assert.equal(
    (await shown(metrics)).sort(),
    ['Active', 'Retired', 'Trusted'].map((to) => overruled(to, 0)),
  );
});

test('a CA rotation that stands still, since its CA cannot be read or a step cannot be written, waits too', async () => {
  const refused = { code: 'CASecretNotFound', message: 'x' } as const;
  const waits = async (generations: RotationFindings['generations']) => {
    const metrics = metricsOf();
    metrics.showRotation(authority, { ...settled, generations, refused });
    return (await shown(metrics)).filter((line) => line.includes('waiting'));
  };
  const series = (to: string) => [`certwheel_ca_rotation_waiting{${ABOUT},to="${to}",reason="CASecretNotFound"} 1`];
  assert.equal(await waits(generations), series('Trusted'));
  assert.equal(await waits([generation(1, 'Retiring', one), generation(2, 'Active', two)]), series('Retired'));
  assert.equal(await waits([generation(1, 'Active', one)]), [], 'no CA rotation is under way');
});

test('steps that waited no longer are counted from zero on, and stay when the CA rotation is over', async () => {
  const metrics = metricsOf();
  metrics.showRotation(authority, waiting);
  metrics.rotationOverruled(authority, 'Trusted');
  metrics.showRotation(authority, settled);
  assert.ok((await shown(metrics)).includes(overruled('Trusted', 1)));
});

test('they go with their authority', async () => {
  const metrics = metricsOf();
  metrics.showRotation(authority, waiting);
  metrics.rotationOverruled(authority, 'Active');
  metrics.hideAuthority('CertificateAuthority/ns/ca');
  assert.equal(await shown(metrics), []);
});

test.run();
