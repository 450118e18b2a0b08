import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import { oneScene } from '/work/main/test/e2e/support/scene.ts';
import { makeCa } from '/work/main/test/e2e/support/openssl.ts';
import { pairData, putCaSecret, createSecretAuthority } from '/work/main/test/e2e/support/ca-secret.ts';
import { clientCertificate, create, untilReady, authorityStatusOf, conditionOf, readSecret } from '/work/main/test/e2e/support/objects.ts';
import { eventsIn } from '/work/main/test/e2e/authority/swap.ts';
const scene = oneScene({ authority: false, flags: ['--trust-propagation', '2m'] });
test.after(scene.stop);
test('run', async () => {
  const { world } = await scene.get();
  const ns = await world.namespace();
  await putCaSecret(world, ns, 'payments-ca', pairData(await makeCa('Example clients v1')));
  await createSecretAuthority(world, ns, 'payments-ca', 'payments-ca');
  for (const name of ['billing', 'refunds']) { await create(world, clientCertificate(ns, name, { authorityRef: { name: 'payments-ca' }, duration: '1h' })); await untilReady(world, ns, name); }
  await putCaSecret(world, ns, 'payments-ca', pairData(await makeCa('Example clients v2')));
  const t0 = Date.now();
  let before = '';
  for (;;) {
    const s = await authorityStatusOf(world, ns, 'payments-ca');
    const line = JSON.stringify([s.generations?.map((g) => `${g.version} ${g.state} ${g.certificates ?? ''}`), conditionOf(s, 'Rotating')?.message, s.caRotation?.plan?.map((p) => `${p.version}->${p.to} ${p.reason ?? ''} ${p.notBefore ?? p.deadline ?? ''} ${p.waitsFor ?? ''}`)]);
    if (line !== before) console.log(`+${((Date.now() - t0) / 1000).toFixed(1)}s`, line);
    before = line;
    if (s.generations?.some((g) => g.state === 'Retired') || Date.now() - t0 > 560_000) break;
    await sleep(200);
  }
  for (const e of await eventsIn(world, ns)) if (e.regarding.kind === 'CertificateAuthority') console.log(e.type, e.reason, e.note);
});
test.run();
