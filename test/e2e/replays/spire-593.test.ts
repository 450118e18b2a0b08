/**
 * https://github.com/spiffe/spire/pull/593: trust domains are compared as they were written, so an entry in capitals never fits
 * its workload, and two spellings of one identity are two entries.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { clientCertificate, conditionOf, create, readSecret, untilReady } from '../support/objects.ts';
import { authorityWithRules, granted } from '../support/rules.ts';
import { oneScene } from '../support/scene.ts';

const scene = oneScene({ authority: false, isHome: true });
test.after(scene.stop);

const RULES = [
  { name: 'workloads', namespaces: { all: true }, commonNames: ['*'], uris: ['SPIFFE://eXAMPLe.org/ns/{namespace}/*'] },
];

test('a rule in capitals allows the one identity that it means, and the path keeps its case', async () => {
  const { world, namespace } = await scene.get();
  const authorityRef = await authorityWithRules(world, namespace, RULES);
  const uri = `spiffe://example.org/ns/${namespace}/Web`;
  await granted(world, namespace, 'lower', { authorityRef, uris: [uri] });
  assert.is((await readSecret(world, namespace, 'lower-tls'))?.leaf.subjectAltName, `URI:${uri}`);
  const refused: Readonly<Record<string, string>> = {
    'capitals-in-host': uri.replace('example', 'eXAMPLe'),
    'capitals-in-path': uri.replace('/ns/', '/NS/'),
    'escaped-letter': uri.replace('Web', '%57eb'),
    'two-slashes': uri.replace('/ns/', '//ns/'),
    'slash-at-end': `${uri}/`,
  };
  for (const [name, spelling] of Object.entries(refused)) {
    const created = await create(world, clientCertificate(namespace, name, { authorityRef, uris: [spelling] })).then(
      () => true,
      () => false,
    );
    // The schema refuses some of them.
    if (!created) continue;
    const status = await untilReady(world, namespace, name, { type: 'Stalled' });
    assert.ok(['DeniedByPolicy', 'InvalidSpec'].includes(conditionOf(status, 'Stalled')?.reason ?? ''), name);
    assert.is(await readSecret(world, namespace, `${name}-tls`), undefined);
  }
});

test.run();
