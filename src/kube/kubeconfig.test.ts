import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findSource } from './kubeconfig.ts';

const folder = mkdtempSync(join(tmpdir(), 'certwheel-kubeconfig-'));
test.after(() => rmSync(folder, { recursive: true }));

function written(content: string | object): string {
  const path = join(folder, 'config');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

function config({ server = 'https://api', current = 'here', cluster = 'one' } = {}): object {
  return {
    clusters: [{ name: 'one', cluster: { server } }],
    users: [{ name: 'me', user: { token: 'secret-token' } }],
    contexts: [{ name: 'here', context: { cluster, user: 'me' } }],
    'current-context': current,
  };
}

for (const [what, content, says] of [
  ['is no YAML', 'users:\n- token: secret-token\n  : [', /is no valid kubeconfig/],
  ['is empty', '', /is no valid kubeconfig|no current-context/],
  ['has no current context', config({ current: '' }), /no current-context; kubectl config use-context/],
  ['names a context that it lacks', config({ current: 'there' }), /"there" is not among its contexts/],
  ['names a cluster that it lacks', config({ cluster: 'two' }), /names the cluster "two"/],
  ['has a server that is no URL', config({ server: 'nowhere' }), /is no URL/],
] as const) {
  test(`a kubeconfig that ${what} is refused with its path and a remedy, and without its content`, () => {
    const path = written(content);
    try {
      findSource(path).load();
      assert.unreachable();
    } catch (error) {
      const { message } = error as Error;
      assert.match(message, says);
      assert.ok(message.includes(path), message);
      assert.not.match(message, /secret-token/);
      assert.not.match(message, /\n/);
    }
  });
}

test('a kubeconfig that is missing is named together with where its path came from', () => {
  assert.throws(() => findSource('/nowhere/config').load(), /kubeconfig \/nowhere\/config: there is no such file/);
  assert.throws(
    () => findSource(undefined, { KUBECONFIG: '/nowhere/env' }).load(),
    /\/nowhere\/env \(from \$KUBECONFIG\)/,
  );
});

test('a path wins over $KUBECONFIG', () => {
  const path = written(config());
  assert.is(findSource(path, { KUBECONFIG: '/nowhere' }).load().getCurrentCluster()?.server, 'https://api');
});

test.run();
