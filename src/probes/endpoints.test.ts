import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { Resource } from '../api/names.ts';
import type { TrustVerifier } from '../api/verifiers.ts';
import { ApiError } from '../errors.ts';
import { findEndpoints } from './endpoints.ts';

const CONFIG = {
  probes: true,
  probeAddresses: ['10.0.0.0/8'],
  tenantProbeAddresses: ['10.2.0.0/16'],
  loopbackProbes: false,
};
const CLUSTER = { kind: 'ClusterCertificateAuthority', namespace: '' } as CertificateAuthority;
const TENANT = { kind: 'CertificateAuthority', namespace: 'shop' } as CertificateAuthority;

type Objects = Readonly<Record<string, unknown>>;

function find(
  resource: CertificateAuthority,
  at: TrustVerifier['at'],
  objects: Objects = {},
  names: readonly string[] = [],
) {
  const client = {
    get: async ({ plural }: Resource, namespace: string | undefined, name: string) =>
      objects[`${plural} ${namespace}/${name}`],
    list: async ({ plural }: Resource, { namespace = '' }: { namespace?: string | undefined } = {}) => {
      const items = objects[`${plural} ${namespace}`];
      if (items instanceof Error) throw items;
      return { metadata: {}, items: items ?? [] };
    },
  };
  const lookup = () => (_name: string, _options: object, done: (error: Error | null, found: object[]) => void) =>
    done(
      null,
      names.map((address) => ({ address, family: 4 })),
    );
  const deps = { client, config: CONFIG, lookup } as unknown as Parameters<typeof findEndpoints>[2];
  return findEndpoints(resource, { at, serverName: undefined }, deps);
}

const problem = async (found: ReturnType<typeof find>) => {
  const answer = await found;
  return 'problem' in answer ? answer.problem : JSON.stringify(answer);
};

test('each address of a name is asked, and one outside the networks refuses them all', async () => {
  const at = { host: 'gateway.example.com', port: 443 };
  const found = await find(CLUSTER, at, {}, ['10.0.0.2', '10.0.0.1', '10.0.0.1']);
  assert.equal(found, {
    endpoints: [
      { address: '10.0.0.1', port: 443 },
      { address: '10.0.0.2', port: 443 },
    ],
    serverName: 'gateway.example.com',
  });
  for (const bad of ['8.8.8.8', '169.254.169.254', '127.0.0.1', '::1', '::ffff:169.254.169.254'])
    assert.match(await problem(find(CLUSTER, at, {}, ['10.0.0.1', bad])), 'it may not be asked', bad);
});

test('a tenant reaches by address what the operator opened to tenants alone', async () => {
  assert.match(await problem(find(TENANT, { host: '10.0.0.1', port: 1 })), '--tenant-probe-addresses');
  assert.match(await problem(find(TENANT, { host: '10.2.0.1', port: 1 })), '10.2.0.1');
  assert.match(await problem(find(TENANT, { host: '127.0.0.1', port: 1 })), '--allow-loopback-probes');
});

const SERVICE = {
  spec: {
    ports: [
      { name: 'tls', port: 443 },
      { name: 'web', port: 80 },
      { name: 'dns', port: 53, protocol: 'UDP' },
    ],
  },
};
const slice = (...endpoints: object[]) => ({
  addressType: 'IPv4',
  ports: [
    { name: 'tls', port: 8443 },
    { name: 'web', port: 8080 },
  ],
  endpoints,
});
const service = (namespace: string | undefined, port = 443) => ({ service: { name: 'gateway', namespace, port } });

test('the ready endpoints of the port of a Service are asked, under the name of the Service', async () => {
  const objects = {
    'services payments/gateway': SERVICE,
    'endpointslices payments': [
      slice({ addresses: ['10.0.0.1'] }, { addresses: ['10.0.0.3'], conditions: { ready: false } }),
      slice({ addresses: ['10.0.0.2'], conditions: { ready: true } }),
    ],
  };
  assert.equal(await find(CLUSTER, service('payments'), objects), {
    endpoints: [
      { address: '10.0.0.1', port: 8443 },
      { address: '10.0.0.2', port: 8443 },
    ].map((each) => ({ ...each, targetRef: undefined })),
    serverName: 'gateway.payments.svc',
  });
  assert.match(
    await problem(find(CLUSTER, service('payments', 53), objects)),
    'has no TCP port 53; it has 443, 80, 53',
  );
});

test('what a Service lacks is named', async () => {
  assert.is(await problem(find(CLUSTER, service('payments'))), 'Service payments/gateway does not exist');
  const empty = { 'services payments/gateway': SERVICE };
  assert.is(await problem(find(CLUSTER, service('payments'), empty)), 'Service payments/gateway has no ready endpoint');
  const forbidden = { ...empty, 'endpointslices payments': new ApiError(403, 'Forbidden', 'no right') };
  assert.match(await problem(find(CLUSTER, service('payments'), forbidden)), 'set probes.enabled in the chart');
  const many = Array.from({ length: 101 }, (_, index) => ({ addresses: [`10.0.1.${index}`] }));
  assert.match(
    await problem(find(CLUSTER, service('payments'), { ...empty, 'endpointslices payments': [slice(...many)] })),
    'has 101 endpoints',
  );
});

test('a tenant reaches a Pod of its own as long as that has its address', async () => {
  const targetRef = { kind: 'Pod', namespace: 'shop', name: 'one' };
  const reach = (status: object, spec: object = {}) =>
    problem(
      find(TENANT, service(undefined), {
        'services shop/gateway': SERVICE,
        'endpointslices shop': [slice({ addresses: ['10.0.0.1'], targetRef })],
        'pods shop/one': { spec, status: { podIPs: [{ ip: '10.0.0.1' }], ...status } },
      }),
    );
  assert.match(await reach({ phase: 'Running' }), '"address":"10.0.0.1"');
  // Its address may have been given to a Pod of another namespace.
  for (const phase of ['Succeeded', 'Failed']) assert.match(await reach({ phase }), 'which has ended');
  assert.match(await reach({ podIPs: [{ ip: '10.0.0.2' }] }), 'is not the address of Pod shop/one');
  assert.match(await reach({}, { hostNetwork: true }), 'in the network of its node');
});

test('the namespace that a tenant names is not looked at', async () => {
  const objects = {
    'services payments/gateway': SERVICE,
    'endpointslices payments': [slice({ addresses: ['10.0.0.1'] })],
  };
  assert.is(await problem(find(TENANT, service('payments'), objects)), 'Service shop/gateway does not exist');
});

test.run();
