/**
 * https://github.com/hashicorp/vault/issues/13530: whether a glob with several asterisks allows a wildcard certificate changed
 * from one release to the next, since the asterisk of the certificate and those of the glob are the same character.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { authorityWithRules, denied, granted } from '../support/rules.ts';
import { oneScene } from '../support/scene.ts';

const scene = oneScene({ authority: false, isHome: true });
test.after(scene.stop);

const ASKED = ['*.bar.example', 'foo.bar.example', '*.example', 'a.foo.bar.example', '*.foo.bar.example', 'example'];
/** What each pattern allows of that. */
const PATTERNS: Readonly<Record<string, readonly string[]>> = {
  '*.*.example': ['foo.bar.example'],
  '[*].*.example': ['*.bar.example'],
  '[*].example': ['*.example'],
  '*.example': [],
  '*.*.*.example': ['a.foo.bar.example'],
  '[*].*.*.example': ['*.foo.bar.example'],
};

test('an asterisk of a pattern is no asterisk of a certificate, and stands for one label', async () => {
  const { world, namespace } = await scene.get();
  for (const [index, [pattern, allowed]] of Object.entries(PATTERNS).entries()) {
    const rules = [{ name: 'glob', namespaces: { all: true }, dnsNames: [pattern] }];
    const authorityRef = await authorityWithRules(world, `${namespace}-${index}`, rules);
    for (const [at, name] of ASKED.entries()) {
      const spec = { authorityRef, commonName: undefined, dnsNames: [name] };
      if (allowed.includes(name)) await granted(world, namespace, `c${index}-${at}`, spec);
      else
        assert.match(await denied(world, namespace, `c${index}-${at}`, spec), `does not allow "${name}" in dnsNames`);
    }
  }
});

test.run();
