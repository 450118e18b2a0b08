/** Real servers are asked by the real controller whether they trust the old CA, the new one, and a rogue one. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, resourcePath } from '../../../src/api/names.ts';
import { envoy } from '../../interop/servers/envoy.ts';
import { go } from '../../interop/servers/go.ts';
import { grpc } from '../../interop/servers/grpc.ts';
import { java } from '../../interop/servers/java.ts';
import { nginx } from '../../interop/servers/nginx.ts';
import type { ServerReader } from '../../interop/support/reader.ts';
import { pairData, putCaSecret } from '../support/ca-secret.ts';
import { clientCertificate, create, untilReady } from '../support/objects.ts';
import { makeCa } from '../support/openssl.ts';
import { witness } from '../support/witness.ts';
import { eventually, oneWorld } from '../support/world.ts';
import {
  createWithVerifiers,
  FLAGS,
  startVerifier,
  untilVerdict,
  type Verifying,
  verdictsIn,
  verifierAt,
} from './verifier-world.ts';

const shared = oneWorld();
test.after(shared.stop);

const READERS: readonly ServerReader[] = [nginx, go, grpc, java, envoy];

test('a CA rotation is seen at each verifier: those that load the new CA trust it, and one that never reloads is named', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const [v1, v2] = [await makeCa('Clients v1'), await makeCa('Clients v2')];
  const started = new Map<string, Verifying>();
  for (const reader of READERS) {
    const server = await startVerifier(reader, v1.certificate);
    if (typeof server === 'string') console.error(`${reader.name} is left out: ${server}`);
    else started.set(reader.name, server);
  }
  assert.ok(started.size >= 2, 'at least two programs are there');
  await world.controller(['--namespaces', namespace, '--trust-propagation', '10m', ...FLAGS]);
  const verifiers = [...started].map(([name, { port }]) =>
    verifierAt(name, port, name === 'grpc' ? { tls: {} } : undefined),
  );
  await createWithVerifiers(world, namespace, v1, verifiers);
  await create(world, clientCertificate(namespace, 'client'));
  await untilReady(world, namespace, 'client');
  for (const name of started.keys()) {
    const status = await untilVerdict(world, namespace, name, 1, 'Trusts');
    assert.is(status.endpoints, 1);
    assert.is(status.message, undefined);
  }

  await putCaSecret(world, namespace, 'ca-pair', pairData(v2));
  const stale = 'nginx';
  for (const name of started.keys()) {
    const status = await untilVerdict(world, namespace, name, 2, 'DoesNotTrust');
    assert.is(verdictsIn(status)[1], 'Trusts');
    assert.match(
      status.message ?? '',
      /CA generation 2 \(CN=Clients v2\): 127\.0\.0\.1:\d+ refuses the certificate \(.+\); give it the CA and reload it/,
    );
  }
  for (const [name, server] of started) if (name !== stale) await server.trust(v1.certificate + v2.certificate);
  for (const name of started.keys()) if (name !== stale) await untilVerdict(world, namespace, name, 2, 'Trusts');
  await untilVerdict(world, namespace, stale, 2, 'DoesNotTrust');
  await started.get(stale)?.trust(v1.certificate + v2.certificate);
  const last = await untilVerdict(world, namespace, stale, 2, 'Trusts');
  assert.is(last.message, undefined);
});

test('while no answer changes nothing is written, and each probe is counted', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const ca = await makeCa('Clients');
  const server = await startVerifier(go, ca.certificate);
  if (typeof server === 'string') return console.error(`skipped, Go is not there: ${server}`);
  const controller = await world.controller(['--namespaces', namespace, ...FLAGS]);
  await createWithVerifiers(world, namespace, ca, [verifierAt('go', server.port)]);
  await untilVerdict(world, namespace, 'go', 1, 'Trusts');
  const authority = `CertificateAuthority/${namespace}/ca`;
  const probes = async () => {
    const [, count] =
      /certwheel_probe_total\{[^}]*certificate="rogue",result="rejected"[^}]*\} (\d+)/.exec(
        await controller.metrics(),
      ) ?? [];
    return Number(count ?? 0);
  };
  const first = await probes();
  const writes = await witness(world, resourcePath(CERTIFICATE_AUTHORITIES, namespace));
  const before = writes.all().length;
  await eventually('it was asked twice more', async () => (await probes()) >= first + 2);
  assert.is(writes.all().length, before);
  const page = await controller.metrics();
  assert.match(page, `certwheel_verifier_trusts{authority="${authority}",verifier="go",generation="1"} 1`);
  assert.match(page, `certwheel_probe_certificates_total{authority="${authority}"} 1`);
  const restarted = async () => {
    assert.is(await controller.stop(), 0);
    const next = await world.controller(['--namespaces', namespace, ...FLAGS]);
    await eventually('the next process has asked', async () =>
      /certwheel_verifier_trusts\{[^}]*verifier="go"[^}]*\} 1/.test(await next.metrics()),
    );
  };
  const signed = controller.logs.filter(({ message, probe }) => message === 'signing' && probe === 'go');
  assert.is(signed.length, 1);
  await restarted();
  assert.is(writes.all().length, before);
});

test.run();
