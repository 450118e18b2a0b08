/**
 * https://github.com/alex1989hu/kubelet-serving-cert-approver/issues/337: the common name of a request is bound to its
 * requester and the alternative names are not, so a node has the names of another node, which clients go by.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { signatures } from '../support/recorded.ts';
import { authorityWithRules, denied, granted } from '../support/rules.ts';
import { oneScene } from '../support/scene.ts';

const scene = oneScene({ authority: false, isHome: true });
test.after(scene.stop);

const OTHERS: Readonly<Record<string, object>> = {
  dnsNames: { dnsNames: ['victim'] },
  uris: { uris: ['spiffe://example.com/ns/victim/sa/web'] },
  emailAddresses: { emailAddresses: ['victim@example.com'] },
  ipAddresses: { ipAddresses: ['192.0.2.7'] },
  'subject.organizations': { subject: { organizations: ['victims'] } },
  'subject.organizationalUnits': { subject: { organizationalUnits: ['victims'] } },
  'subject.countries': { subject: { countries: ['DE'] } },
  'subject.provinces': { subject: { provinces: ['victim'] } },
  'subject.localities': { subject: { localities: ['victim'] } },
  'subject.streetAddresses': { subject: { streetAddresses: ['victim'] } },
  'subject.postalCodes': { subject: { postalCodes: ['victim'] } },
  'subject.serialNumbers': { subject: { serialNumber: 'victim' } },
};

test('a rule that allows a common name alone allows no name of another kind beside it', async () => {
  const { world, controller, namespace } = await scene.get();
  const rules = [{ name: 'nodes', namespaces: { all: true }, commonNames: ['{namespace}.*'] }];
  const authorityRef = await authorityWithRules(world, namespace, rules);
  const own = { authorityRef, commonName: `${namespace}.node` };
  await granted(world, namespace, 'own', own);
  for (const [field, spec] of Object.entries(OTHERS)) {
    const name = field.toLowerCase();
    assert.match(await denied(world, namespace, name, { ...own, ...spec }), `rule nodes allows no ${field}, such as `);
    assert.is(signatures(controller, namespace, name), 0);
  }
  // Nor without the common name.
  await denied(world, namespace, 'alone', { authorityRef, commonName: undefined, dnsNames: ['victim'] });
});

test.run();
