import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { FALLBACK, SHORT, untilFallback, untilIssuingSays } from '../support/lapsed.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  readSecret,
  selfManaged,
} from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';

const scene = oneScene({ authority: false });
test.after(scene.stop);

test('an authority whose own CA was never known has a fallback that is not used, and says so', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace, 'reserve'));
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'ca' },
    spec: { secret: { name: 'absent' }, ...FALLBACK },
  });
  await create(world, clientCertificate(namespace, 'one', SHORT));
  await untilFallback(world, namespace, 'False', 'TrustUnknown');
  await untilIssuingSays(
    world,
    namespace,
    'one',
    /reserve issue it: AuthorityNotReady: the CA certificates of .* itself/,
  );
  assert.is(await readSecret(world, namespace, 'one-tls'), undefined);
});

test('a fallback that does not exist is said to be missing, with the kind and place that it must have', async () => {
  const { world } = await scene.get();
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace, 'ca', FALLBACK));
  await untilFallback(world, namespace, 'False', 'AuthorityNotFound');
  const { message = '' } = conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'FallbackReady') ?? {};
  assert.match(
    message,
    `there is no CertificateAuthority reserve in namespace ${namespace}; create it, or change spec`,
  );
  assert.match(message, /which names an authority of the same kind and namespace$/);
});

test.run();
