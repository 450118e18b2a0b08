import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stopAll } from '../../teardown.ts';
import { filesOf, verify } from './account-run.ts';
import { makeAcmeStepCa } from './acme-servers.ts';
import { newToken, startCloudflare } from './cloudflare-world.ts';
import { bindPrograms, startBind, type TestKey } from './servers/bind.ts';

// `make verify-backend` from its variables to its last line, before the servers that the other tests have.

test.after(stopAll);

test('cloudflare, where nothing of the run stays active', async () => {
  const { fake, caPem } = await startCloudflare(100);
  const { CA, MANAGED } = filesOf({ CA: fake.ca, MANAGED: caPem });
  const variables = {
    CLOUDFLARE_ZONE_ID: fake.zone.zone,
    CLOUDFLARE_API_TOKEN: newToken(fake),
    CLOUDFLARE_MANAGED_CA: MANAGED,
    CLOUDFLARE_SERVER: fake.url,
    CLOUDFLARE_CA_BUNDLE: CA,
    NODE_EXTRA_CA_CERTS: CA,
  };
  await verify('cloudflare', variables, () => fake.zone.issued.length);
  assert.is(fake.zone.active.length, 0);
});

test('acme, at step-ca', async () => {
  const key: TestKey = {
    name: 'verify',
    algorithm: 'hmac-sha256',
    secret: Buffer.from('a secret of thirty-two bytes....').toString('base64'),
  };
  const zone = { name: 'corp.test', policy: [`grant ${key.name} subdomain corp.test. TXT`] };
  const bind = await startBind(await bindPrograms(), { keys: [key], zones: [zone] });
  const ca = await makeAcmeStepCa({ dns: `127.0.0.1:${bind.port}` });
  await ca.start();
  const { ROOT } = filesOf({ ROOT: ca.root });
  const variables = {
    CERTWHEEL_ACME_SERVER: `${ca.url}/acme/acme/directory`,
    CERTWHEEL_ACME_CA_BUNDLE: ROOT,
    CERTWHEEL_ACME_TRUST_BUNDLE: ROOT,
    CERTWHEEL_ACME_ZONE: zone.name,
    CERTWHEEL_ACME_NAMESERVER: `127.0.0.1:${bind.port}`,
    CERTWHEEL_ACME_TSIG_NAME: key.name,
    CERTWHEEL_ACME_TSIG_SECRET: key.secret,
  };
  await verify('acme', variables, () => ca.read('step-ca.log').match(/\/finalize .*status=200/g)?.length ?? 0);
  await bind.stop();
});

test.run();
