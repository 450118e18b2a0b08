import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NOW } from '../../test/unit/builders.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { SILENT } from '../../test/unit/own-authority.ts';
import { parseCommandLine } from '../config.ts';
import { Cluster } from './cluster.ts';
import { wireShardChanges } from './shard-changes.ts';

const KEY = 'ClusterCertificateAuthority/corp';

test('a replica that takes part again drops the view and the CA generations of each cluster authority', () => {
  const parsed = parseCommandLine([], {}, false);
  if (!('config' in parsed)) throw new Error('no config');
  const clock = new FakeClock(NOW);
  const cluster = new Cluster(parsed.config, { client: {} as never, clock, logger: SILENT });
  cluster.clusterAuthorities.put({
    metadata: { name: 'corp', uid: 'u', resourceVersion: '1' },
    spec: { selfManaged: { commonName: 'CA' } },
  });
  const runtime = { view: {}, generations: [{}], turnstile: undefined, polls: undefined };
  let held = 0;
  const queue = { tidy: () => {}, add: () => {}, running: () => [] };
  const controller = { queue } as never;
  const { onChange } = wireShardChanges(
    {
      clock,
      cluster,
      config: { ...parsed.config, shards: 4 },
      metrics: { hideAuthority: () => {} },
      registry: { get: (key: string) => (key === KEY ? runtime : undefined) },
      sharding: { ranges: () => ({ held, count: 4 }), owns: () => false },
    } as never,
    {
      controllers: {
        authorities: controller,
        certificates: controller,
        probes: controller,
        'trust-targets': controller,
      },
      revocations: { leave: () => {} },
      targets: { leave: () => {}, wake: () => {} },
      probing: { leave: () => {}, wake: () => {} },
      signal: AbortSignal.abort(),
      leaveCertificate: () => {},
      leaveAuthority: () => {},
    },
  );
  held = 2;
  onChange([2, 3], []);
  Object.assign(runtime, { view: {}, generations: [{}] });
  held = 3;
  onChange([1], []);
  assert.ok(runtime.view, 'it held ranges before');
  held = 0;
  onChange([], [1, 2, 3]);
  held = 2;
  onChange([2, 3], []);
  assert.equal([runtime.view, runtime.generations], [undefined, []]);
});

test.run();
