import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  clientCertificate,
  create,
  createAuthority as createPlain,
  selfManaged,
  untilReady,
} from '../support/objects.ts';
import { openBaoNamespace } from './openbao-namespace.ts';
import { createAuthority, untilAuthority } from './place.ts';
import { OPENBAO_LACKS } from './servers/openbao.ts';
import { vaultPlace, vaultWorldOf } from './vault-world.ts';

// The commands of docs/authorities/vault.md within a namespace of OpenBao: what belongs to a login is in there too.

const NAMESPACE = 'team-a';
const worlds = vaultWorldOf(() => openBaoNamespace(NAMESPACE));
test.after(worlds.stop);
const run = OPENBAO_LACKS === undefined ? test : test.skip;

type Somewhere = Awaited<ReturnType<typeof vaultPlace>>;

/** Follows a part of the page, and answers `auth` as it says. */
const LOGINS: Record<string, (somewhere: Somewhere) => Promise<object>> = {
  'By a ServiceAccount': async ({ world: { cluster }, follow, namespace }) => {
    await cluster.kubectl(['create', 'serviceaccount', 'reviewer', '--namespace', namespace]);
    const reviewer = [`--serviceaccount=${namespace}:reviewer`, '--clusterrole=system:auth-delegator'];
    await cluster.kubectl(['create', 'clusterrolebinding', `reviewer-${namespace}`, ...reviewer]);
    const { stdout } = await cluster.kubectl(['create', 'token', 'reviewer', '--namespace', namespace]);
    await follow('By a ServiceAccount', namespace, {
      KUBERNETES_HOST: cluster.url,
      KUBERNETES_CA_FILE: cluster.caPath,
      REVIEWER_TOKEN: stdout.trim(),
    });
    return { kubernetes: { role: 'certwheel', serviceAccountName: 'certwheel-vault' } };
  },
  'By AppRole': async ({ follow, namespace }) => {
    const roleId = /roleId: (\S+)/.exec(await follow('By AppRole', namespace))?.[1];
    return { appRole: { roleId, secretRef: { name: 'certwheel-approle' } } };
  },
  'By a JWT': async ({ world: { cluster }, follow, namespace }) => {
    const { stdout } = await cluster.kubectl(['get', '--raw', '/.well-known/openid-configuration']);
    await follow('By a JWT', namespace, {
      KUBERNETES_HOST: cluster.url,
      KUBERNETES_CA_FILE: cluster.caPath,
      TOKEN_ISSUER: JSON.parse(stdout).issuer,
    });
    return { jwt: { role: 'certwheel', serviceAccountRef: { name: 'certwheel-vault' } } };
  },
  'By a TLS certificate': async ({ world, follow, namespace }) => {
    await createPlain(world, selfManaged(namespace, 'login-ca'));
    await follow('By a TLS certificate', namespace);
    return { cert: { role: 'certwheel', secretRef: { name: 'vault-login' } } };
  },
  'By a token': async ({ follow, namespace }) => {
    await follow('By a token', namespace);
    return { tokenSecretRef: { name: 'certwheel-token' } };
  },
};

for (const [heading, setUp] of Object.entries(LOGINS))
  run(`${heading}: a login in a namespace of OpenBao gets a certificate, and in another one it does not`, async () => {
    const somewhere = await vaultPlace(worlds);
    const { world, namespace, spec } = somewhere;
    const auth = await setUp(somewhere);
    await createAuthority({ world, namespace }, 'vault', spec({ auth }));
    await untilAuthority({ world, namespace });
    await create(world, clientCertificate(namespace, 'one'));
    await untilReady(world, namespace, 'one');

    const elsewhere = { ...spec({ auth }), namespace: 'team-b' };
    await createAuthority({ world, namespace }, 'vault', elsewhere, 'elsewhere');
    const wanted = { status: 'False', reason: 'AuthorityMisconfigured', says: 'namespace not found' } as const;
    await untilAuthority({ world, namespace }, wanted, { name: 'elsewhere' });
    const { namespace: _, ...atTheTop } = spec({ auth });
    await createAuthority({ world, namespace }, 'vault', atTheTop, 'top');
    const { reason } = await untilAuthority({ world, namespace }, { status: 'False' }, { name: 'top' });
    assert.is(reason, 'AuthorityMisconfigured');
  });

test.run();
