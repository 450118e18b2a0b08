import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ACME_ACCOUNTS_NAME,
  CERTIFICATE_AUTHORITIES,
  CLUSTER_CERTIFICATE_AUTHORITIES,
  CONFIG_MAPS,
} from '../../../src/api/names.ts';
import { available, unavailable } from '../../interop/support/available.ts';
import { onStop } from '../../teardown.ts';
import { createSecret } from '../support/edits.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { KEYS, rfc2136 } from './acme-dns-world.ts';
import { startResponder } from './acme-responder-process.ts';
import { bindPrograms, startBind } from './servers/bind.ts';
import { makeStepCa } from './servers/step-ca.ts';

// The whole way: a ClientCertificate, the controller, its solvers, a real BIND, the real responder, and a real step-ca.

/** Certificates for clients. */
const CLIENT_TEMPLATE = `{
  "subject": {{ toJson .Subject }},
  "sans": {{ toJson .SANs }},
  "keyUsage": ["digitalSignature"],
  "extKeyUsage": ["clientAuth"]
}`;

const inBase64 = (text: string) => Buffer.from(text).toString('base64');

const shared = oneWorld();
test.after(shared.stop);

const programs = await available('BIND', () => bindPrograms().catch(unavailable));

if (programs !== undefined) {
  const bind = await startBind(programs, {
    keys: Object.values(KEYS),
    zones: [
      {
        name: 'example.test',
        policy: ['grant certwheel subdomain example.test. TXT'],
        records: ['www A 127.0.0.1'],
      },
    ],
  });
  onStop(bind.stop);
  const responder = await startResponder();
  const flags = ['--insecure', '--resolver', `127.0.0.1:${bind.port}`, '--acme-http-port', String(responder.port)];
  const ca = await makeStepCa(undefined, flags);
  onStop(() => ca.stop());
  ca.configure((config) => {
    const provisioner = { type: 'ACME', name: 'acme', options: { x509: { template: CLIENT_TEMPLATE } } };
    config.authority.provisioners.push(provisioner);
  });
  await ca.start();
  const acme = (solvers: readonly object[]) => ({
    acme: {
      server: `${ca.url}/acme/acme/directory`,
      caBundle: inBase64(ca.root),
      trustBundle: { inline: ca.root },
      solvers,
    },
  });

  test('a CertificateAuthority proves names by updates of BIND, and leaves no record behind', async () => {
    const world = await shared.get();
    const namespace = await world.namespace();
    await world.controller(['--namespaces', namespace, '--allow-loopback-authorities']);
    await createSecret(world, namespace, 'certwheel', { data: { tsig: inBase64(KEYS.certwheel.secret) } });
    const solvers = [{ selector: { dnsZones: ['example.test'] }, dns01: { rfc2136: rfc2136(bind.port) } }];
    await world.client.create(CERTIFICATE_AUTHORITIES, { metadata: { namespace, name: 'ca' }, spec: acme(solvers) });
    const dnsNames = ['alice.example.test', '*.wild.example.test'];
    await create(world, clientCertificate(namespace, 'alice', { commonName: undefined, dnsNames }));
    await untilReady(world, namespace, 'alice');
    const { leaf } = (await readSecret(world, namespace, 'alice-tls')) ?? {};
    for (const name of dnsNames) assert.match(leaf?.subjectAltName ?? '', `DNS:${name}`);
    for (const name of ['alice', 'wild'])
      assert.equal(await bind.dig(`_acme-challenge.${name}.example.test`, 'TXT'), []);

    // What BIND refuses is in the status of the one certificate, with what to do, and the authority stays ready.
    await createSecret(world, namespace, 'narrow', { data: { tsig: inBase64(KEYS.narrow.secret) } });
    const refused = rfc2136(bind.port, {
      tsigKeyName: 'narrow',
      tsigAlgorithm: 'HMACSHA512',
      tsigSecretSecretRef: { name: 'narrow', key: 'tsig' },
    });
    await world.client.create(CERTIFICATE_AUTHORITIES, {
      metadata: { namespace, name: 'narrow' },
      spec: acme([{ dns01: { rfc2136: refused } }]),
    });
    const authorityRef = { name: 'narrow' };
    await create(
      world,
      clientCertificate(namespace, 'bob', { commonName: undefined, dnsNames: ['bob.example.test'], authorityRef }),
    );
    const message = await eventually('the refusal is told', async () => {
      const ready = conditionOf(await statusOf(world, namespace, 'bob'), 'Ready');
      return ready?.reason === 'ChallengeFailed' && ready.message;
    });
    assert.match(message, /update-policy \{ grant narrow name _acme-challenge\.bob\.example\.test\. TXT; \};/);
  });

  test('a ClusterCertificateAuthority proves names by the responder', async () => {
    const world = await shared.get();
    const own = await world.namespace();
    const namespace = await world.namespace();
    await world.controller(['--controller-namespace', own, '--allow-loopback-authorities']);
    const syncing = setInterval(() => void responder.sync(world, own).catch(() => {}), 1_000);
    onStop(() => clearInterval(syncing));
    const spec = { ...acme([{ http01: {} }]), allowedNamespaces: { names: [namespace] } };
    const name = `http-${namespace}`;
    await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, { metadata: { name }, spec });
    const authorityRef = { kind: 'ClusterCertificateAuthority', name };
    await create(
      world,
      clientCertificate(namespace, 'carol', { commonName: undefined, dnsNames: ['www.example.test'], authorityRef }),
    );
    await untilReady(world, namespace, 'carol');
    const { leaf } = (await readSecret(world, namespace, 'carol-tls')) ?? {};
    assert.match(leaf?.subjectAltName ?? '', 'DNS:www.example.test');
    const map = await world.client.get(CONFIG_MAPS, own, ACME_ACCOUNTS_NAME);
    assert.equal(Object.keys((map?.data ?? {}) as object), [name]);
  });
}

test.run();
