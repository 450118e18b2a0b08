/**
 * https://github.com/smallstep/certificates/issues/1509: a policy has one list of names and one of addresses, so a device that
 * may have its own name may have it with the address of the gateway.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { authorityWithRules, denied, granted } from '../support/rules.ts';
import { oneScene } from '../support/scene.ts';

const scene = oneScene({ authority: false, isHome: true });
test.after(scene.stop);

const all = { all: true };
const RULES = [
  {
    name: 'gateway',
    namespaces: all,
    commonNames: ['gateway'],
    dnsNames: ['home.example'],
    ipAddresses: ['192.0.2.1'],
  },
  {
    name: 'devices',
    namespaces: all,
    dnsNames: ['*.iot.example'],
    ipAddresses: ['198.51.100.0/24'],
    maxDuration: '1h',
  },
];

test('names of one rule are not had with addresses, names or durations of another', async () => {
  const { world, namespace } = await scene.get();
  const authorityRef = await authorityWithRules(world, namespace, RULES);
  const gateway = { authorityRef, commonName: 'gateway', dnsNames: ['home.example'], ipAddresses: ['192.0.2.1'] };
  const device = { authorityRef, commonName: undefined, dnsNames: ['cam.iot.example'], duration: '1h' };
  await granted(world, namespace, 'gateway', gateway);
  await granted(world, namespace, 'device', { ...device, ipAddresses: ['198.51.100.7'] });
  const mixed: Readonly<Record<string, object>> = {
    'the-address': { ...device, ipAddresses: ['192.0.2.1'] },
    'both-addresses': { ...device, ipAddresses: ['198.51.100.7', '192.0.2.1'] },
    'both-names': { ...gateway, dnsNames: ['home.example', 'cam.iot.example'] },
    'the-common-name': { ...device, commonName: 'gateway' },
    'the-duration': { ...device, duration: '24h' },
  };
  for (const [name, spec] of Object.entries(mixed)) {
    const says = await denied(world, namespace, name, { ...spec });
    for (const rule of ['gateway', 'devices']) assert.match(says, `rule ${rule} `, name);
  }
});

test.run();
