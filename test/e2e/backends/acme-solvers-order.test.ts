import { X509Certificate } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ACME_ACCOUNTS_NAME, CONFIG_MAPS } from '../../../src/api/names.ts';
import { Http01 } from '../../../src/backends/acme/solvers/http01.ts';
import { parseAccount } from '../../../src/backends/acme/solvers/responder-accounts.ts';
import type { SolverDeps } from '../../../src/backends/acme/solvers/solvers-of.ts';
import { CertwheelError } from '../../../src/errors.ts';
import { clusterAccess } from '../../../src/wiring/cluster-access.ts';
import { available, unavailable } from '../../interop/support/available.ts';
import { onStop } from '../../teardown.ts';
import { eventually } from '../support/eventually.ts';
import { oneWorld } from '../support/world.ts';
import { depsOf, KEYS, rfc2136, solverFor } from './acme-dns-world.ts';
import { type AcmeServer, acmeOf, makeAccount, order } from './acme-order.ts';
import { type ResponderProcess, startResponder } from './acme-responder-process.ts';
import { bindPrograms, startBind } from './servers/bind.ts';
import { startPebble } from './servers/pebble.ts';
import { makeStepCa } from './servers/step-ca.ts';

// A real step-ca validates what the solvers present: it asks a real BIND for records and addresses, and the real responder.

const shared = oneWorld();
test.after(shared.stop);

const { signal } = new AbortController();
const programs = await available('BIND', () => bindPrograms().catch(unavailable));

if (programs !== undefined) {
  const bind = await startBind(programs, {
    keys: Object.values(KEYS),
    zones: [
      {
        name: 'example.test',
        policy: ['grant certwheel subdomain example.test. TXT'],
        records: ['www A 127.0.0.1', 'shop A 127.0.0.1', '_acme-challenge.alias CNAME alias.targets'],
      },
    ],
  });
  onStop(bind.stop);
  const responder = await startResponder();
  const flags = ['--insecure', '--resolver', `127.0.0.1:${bind.port}`, '--acme-http-port', String(responder.port)];
  const ca = await makeStepCa(undefined, flags);
  onStop(() => ca.stop());
  ca.configure((config) => config.authority.provisioners.push({ type: 'ACME', name: 'acme' } as { name: string }));
  await ca.start();
  const stepCa = acmeOf(ca);

  const namesOf = (certificate: string | undefined) => new X509Certificate(certificate ?? '').subjectAltName;

  test('dns-01: step-ca validates what the solver adds to BIND, for names, wildcards and aliases', async () => {
    const solver = solverFor({ dns01: { rfc2136: rfc2136(bind.port) } });
    const names = ['www.example.test', '*.example.test', 'alias.example.test', 'deep.below.example.test'];
    const { certificate, error, challenges } = await order(
      stepCa,
      makeAccount(stepCa, 'dns'),
      'dns-01',
      names,
      (each) => solver.present(each, signal),
    );
    assert.is(error, undefined);
    for (const name of names) assert.match(namesOf(certificate) ?? '', `DNS:${name}`);
    for (const each of challenges) await solver.cleanUp(each, signal);
    for (const name of [
      '_acme-challenge.www.example.test',
      '_acme-challenge.example.test',
      'alias.targets.example.test',
    ])
      assert.equal(await bind.dig(name, 'TXT'), []);
  });

  test('Pebble, which is strict, validates the same by dns-01 and by http-01', async () => {
    const pebble = await startPebble({ dns: `127.0.0.1:${bind.port}`, httpPort: responder.port });
    onStop(() => pebble.stop());
    const server: AcmeServer = { directory: pebble.directory, ca: pebble.ca, folder: ca.folder };
    const solver = solverFor({ dns01: { rfc2136: rfc2136(bind.port) } });
    const names = ['www.example.test', '*.example.test'];
    const byDns = await order(server, makeAccount(server, 'pebble-dns'), 'dns-01', names, (each) =>
      solver.present(each, signal),
    );
    assert.is(byDns.error, undefined);
    for (const name of names) assert.match(namesOf(byDns.certificate) ?? '', `DNS:${name}`);
    for (const each of byDns.challenges) await solver.cleanUp(each, signal);

    const world = await shared.get();
    const namespace = await world.namespace();
    const http = new Http01([{}], await httpDeps(namespace, 'pebble'), responder.port);
    const byHttp = await order(
      server,
      makeAccount(server, 'pebble-http'),
      'http-01',
      ['www.example.test'],
      async (each) => {
        await presentAgain(http, namespace, responder, each);
        await eventually('the responder has read its folder', async () => {
          const { body } = await responder.ask(each.domain, each.token);
          return body === each.keyAuthorization;
        });
      },
    );
    assert.is(byHttp.error, undefined);
    assert.match(namesOf(byHttp.certificate) ?? '', 'DNS:www.example.test');
  });

  test('dns-01: without the solver step-ca refuses', async () => {
    const { certificate, error } = await order(
      stepCa,
      makeAccount(stepCa, 'none'),
      'dns-01',
      ['no.example.test'],
      async () => {},
    );
    assert.is(certificate, undefined);
    assert.match(error ?? '', /authorization|invalid|deadline/);
  });

  const httpDeps = async (namespace: string, name: string, logged: string[] = []): Promise<SolverDeps> => ({
    ...depsOf({ logged }),
    ...clusterAccess((await shared.get()).client, namespace, () => {}),
    name,
  });
  /** As the queue does: again after an error that says so, when the kubelet has brought the ConfigMap. */
  const presentAgain = async (
    solver: Http01,
    namespace: string,
    known: ResponderProcess,
    challenge: Parameters<Http01['present']>[0],
  ) => {
    const world = await shared.get();
    const errors: string[] = [];
    await eventually('the solver has presented the challenge', async () => {
      try {
        await solver.present(challenge, signal);
        return true;
      } catch (error) {
        assert.instance(error, CertwheelError);
        errors.push((error as CertwheelError).message);
        await known.sync(world, namespace);
        return false;
      }
    });
    return errors;
  };

  test('http-01: step-ca validates what the responder answers, for several accounts at once', async () => {
    const world = await shared.get();
    const namespace = await world.namespace();
    const logged: string[] = [];
    const cas = [
      { name: 'production', names: ['www.example.test'], selector: {} },
      { name: 'shop', names: ['shop.example.test'], selector: { dnsNames: ['shop.example.test'] } },
    ];
    const solvers = await Promise.all(
      cas.map(async (each) => ({
        ...each,
        solver: new Http01([each.selector], await httpDeps(namespace, each.name, logged), responder.port),
      })),
    );
    for (const { name, names, solver } of solvers) {
      const { certificate, error } = await order(
        stepCa,
        makeAccount(stepCa, name),
        'http-01',
        names,
        async (challenge) => {
          const [first] = await presentAgain(solver, namespace, responder, challenge);
          assert.match(first ?? '', /does not answer for .* yet; the kubelet brings a new account/);
          await eventually('the responder has read its folder', async () => {
            const { body } = await responder.ask(challenge.domain, challenge.token);
            return body === challenge.keyAuthorization;
          });
        },
      );
      assert.is(error, undefined);
      assert.match(namesOf(certificate) ?? '', `DNS:${names[0]}`);
    }
    // The names of this test are unknown to the resolver of this host.
    assert.match(
      logged[0] ?? '',
      /is not seen by the controller; the CA is asked nevertheless .*"authority":"production"/,
    );
    const map = await world.client.get(CONFIG_MAPS, namespace, ACME_ACCOUNTS_NAME);
    assert.equal(Object.keys((map?.data ?? {}) as object).sort(), ['production', 'shop']);
  });

  test('http-01: the solver sees by itself whether the responder knows the account, and writes nothing twice', async () => {
    const world = await shared.get();
    const namespace = await world.namespace();
    const logged: string[] = [];
    const solver = new Http01([{}], await httpDeps(namespace, 'local', logged), responder.port);
    const challenge = {
      domain: 'localhost',
      token: 'token',
      thumbprint: 'x'.repeat(43),
      keyAuthorization: `token.${'x'.repeat(43)}`,
    };
    await presentAgain(solver, namespace, responder, challenge);
    const versionOf = async () =>
      (await world.client.get(CONFIG_MAPS, namespace, ACME_ACCOUNTS_NAME))?.metadata?.resourceVersion;
    const version = await versionOf();
    await solver.present(challenge, signal);
    assert.is(await versionOf(), version);
    assert.equal(logged, []);
    // A replaced account key keeps the place among the accounts for the same names.
    const entryOf = async () => {
      const map = await world.client.get(CONFIG_MAPS, namespace, ACME_ACCOUNTS_NAME);
      return parseAccount(((map?.data ?? {}) as Readonly<Record<string, string>>).local ?? '');
    };
    const before = await entryOf();
    const thumbprint = 'w'.repeat(43);
    await presentAgain(solver, namespace, responder, {
      ...challenge,
      thumbprint,
      keyAuthorization: `token.${thumbprint}`,
    });
    assert.equal(await entryOf(), { ...before, thumbprint });
  });

  test('http-01: two replicas that register two accounts at once lose none of them', async () => {
    const world = await shared.get();
    const namespace = await world.namespace();
    const present = async (name: string) => {
      const solver = new Http01([{}], await httpDeps(namespace, name), 1);
      const challenge = {
        domain: 'localhost',
        token: 'token',
        thumbprint: 'y'.repeat(43),
        keyAuthorization: 'token.x',
      };
      await solver.present(challenge, signal).catch(() => {});
    };
    const names = Array.from({ length: 8 }, (_, index) => `ca-${index}`);
    await eventually('all accounts are in the ConfigMap', async () => {
      await Promise.all(names.map(present));
      const map = await world.client.get(CONFIG_MAPS, namespace, ACME_ACCOUNTS_NAME);
      return Object.keys((map?.data ?? {}) as object).length === names.length;
    });
  });

  test('http-01: a CertificateAuthority may not use it, and writes nothing', async () => {
    const world = await shared.get();
    const namespace = await world.namespace();
    const solver = new Http01([{}], { ...(await httpDeps(namespace, 'shop/ca')), clusterWide: false }, responder.port);
    const challenge = { domain: 'localhost', token: 'token', thumbprint: 'z'.repeat(43), keyAuthorization: 'token.z' };
    const error = await solver.present(challenge, signal).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.instance(error, CertwheelError);
    assert.is((error as CertwheelError).code, 'UnsupportedByAuthority');
    assert.is(await world.client.get(CONFIG_MAPS, namespace, ACME_ACCOUNTS_NAME), undefined);
  });
}

test.run();
