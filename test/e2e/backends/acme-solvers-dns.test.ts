import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Rfc2136Solver } from '../../../src/api/generated/types.ts';
import { systemClock } from '../../../src/clock.ts';
import { CertwheelError } from '../../../src/errors.ts';
import { freePort } from '../../cluster/ports.ts';
import { available, unavailable } from '../../interop/support/available.ts';
import { onStop, stopAll } from '../../teardown.ts';
import { blocksInOrder } from '../support/page.ts';
import { challengeOf, type DepsChange, KEYS, rfc2136, solverFor } from './acme-dns-world.ts';
import { bindPrograms, startBind } from './servers/bind.ts';

test.after(stopAll);

const { signal } = new AbortController();
const programs = await available('BIND', () => bindPrograms().catch(unavailable));

if (programs !== undefined) {
  console.log(`# ${programs.version}`);
  const all = Object.keys(KEYS).map((name) => `grant ${name} subdomain example.test. TXT`);
  const bind = await startBind(programs, {
    keys: Object.values(KEYS),
    zones: [
      {
        name: 'example.test',
        policy: all
          .filter((each) => !each.includes('narrow'))
          .concat('grant narrow name _acme-challenge.only.example.test. TXT'),
        records: [
          '_acme-challenge.alias CNAME target.challenges.test.',
          '_acme-challenge.loop CNAME _acme-challenge.loop',
        ],
      },
      { name: 'hidden.test', policy: ['grant certwheel zonesub TXT'], options: 'allow-query { key certwheel; };' },
      { name: 'sub.example.test', policy: ['grant certwheel subdomain sub.example.test. TXT'] },
      { name: 'challenges.test', policy: ['grant certwheel name target.challenges.test. TXT'] },
    ],
  });
  onStop(bind.stop);
  const textsOf = async (name: string) => (await bind.dig(name, 'TXT')).map((line) => line.replace(/"/g, '')).sort();
  const solver = (change: Partial<Rfc2136Solver> = {}, deps: DepsChange = {}) =>
    solverFor({ dns01: { rfc2136: rfc2136(bind.port, change), propagation: { timeout: '3s' } } }, deps);

  test('a key that is made by the commands of the page is taken by BIND, and its Secret holds the secret alone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'certwheel-tsig-'));
    onStop(() => rmSync(folder, { recursive: true, force: true }));
    const [make] = blocksInOrder('docs/guides/acme-challenges.md', 'Updates of a name server').filter(
      ({ language }) => language === 'sh',
    );
    const PATH = `${dirname(programs.named)}:${process.env.PATH}`;
    const env = { ...process.env, ...programs.environment, PATH };
    execFileSync('bash', ['-euc', make?.text ?? 'false'], { cwd: folder, env });
    const secret = readFileSync(join(folder, 'tsig.txt'), 'utf8');
    const own = await startBind(programs, {
      keys: [{ name: 'certwheel', algorithm: 'hmac-sha256', secret }],
      zones: [{ name: 'made.test', policy: ['grant certwheel subdomain made.test. TXT'] }],
    });
    assert.match(readFileSync(join(folder, 'certwheel.key'), 'utf8'), `secret "${secret}";`);
    const made = solverFor(
      { dns01: { rfc2136: rfc2136(own.port), propagation: { timeout: '3s' } } },
      {
        secrets: { certwheel: secret },
      },
    );
    await made.present(challengeOf('made.test'), signal);
    assert.is((await own.dig('_acme-challenge.made.test', 'TXT')).length, 1);
    await own.stop();
  });

  for (const [domain, name] of [
    ['www.example.test', '_acme-challenge.www.example.test'],
    ['example.test', '_acme-challenge.example.test'],
    ['*.wild.example.test', '_acme-challenge.wild.example.test'],
    ['WWW.Upper.example.TEST', '_acme-challenge.www.upper.example.test'],
    ['a.sub.example.test', '_acme-challenge.a.sub.example.test'],
    ['alias.example.test', 'target.challenges.test'],
  ] as const) {
    test(`${domain}: a value is added and removed at ${name}, and the values of others stay`, async () => {
      const mine = challengeOf(domain);
      const other = challengeOf(domain);
      await solver().present(mine, signal);
      await solver().present(mine, signal);
      assert.equal(await textsOf(name), [mine.value]);
      await solver().present(other, signal);
      await bind.nsupdate(KEYS.certwheel, `update add ${name}. 60 TXT "of another program"`);
      await solver().cleanUp(mine, signal);
      await solver().cleanUp(mine, signal);
      assert.equal(await textsOf(name), ['of another program', other.value].sort());
      await bind.nsupdate(KEYS.certwheel, `update delete ${name}. TXT`);
      await solver().cleanUp(other, signal);
      assert.equal(await textsOf(name), []);
    });
  }

  for (const [name, tsigAlgorithm] of [
    ['sha224', 'HMACSHA224'],
    ['certwheel', 'HMACSHA256'],
    ['sha384', 'HMACSHA384'],
    ['narrow', 'HMACSHA512'],
  ] as const) {
    test(`named accepts a TSIG with ${tsigAlgorithm}`, async () => {
      const change = { tsigKeyName: name, tsigAlgorithm, tsigSecretSecretRef: { name, key: 'tsig' } };
      const mine = challengeOf('only.example.test');
      await solver(change).present(mine, signal);
      assert.equal(await textsOf('_acme-challenge.only.example.test'), [mine.value]);
      await solver(change).cleanUp(mine, signal);
    });
  }

  test('a server that answers no queries is updated where the spec names the zone', async () => {
    const mine = challengeOf('www.hidden.test');
    await solver({ zone: 'hidden.test' }).present(mine, signal);
    const added = /updating zone 'hidden\.test\/IN': adding an RR at '_acme-challenge\.www\.hidden\.test' TXT "(\S+)"/;
    assert.is(added.exec(bind.log())?.[1], mine.value);
    await solver({ zone: 'hidden.test' }).cleanUp(mine, signal);
    assert.match(
      bind.log(),
      /updating zone 'hidden\.test\/IN': deleting an RR at _acme-challenge\.www\.hidden\.test TXT/,
    );
  });

  test('many orders at once add and remove their own values', async () => {
    const challenges = Array.from({ length: 20 }, () => challengeOf('busy.example.test'));
    await Promise.all(challenges.map((each) => solver().present(each, signal)));
    assert.equal(await textsOf('_acme-challenge.busy.example.test'), challenges.map(({ value }) => value).sort());
    await Promise.all(challenges.slice(1).map((each) => solver().cleanUp(each, signal)));
    assert.equal(await textsOf('_acme-challenge.busy.example.test'), [challenges[0]?.value]);
  });

  const refused = async (change: Partial<Rfc2136Solver>, deps: DepsChange = {}, domain = 'www.example.test') => {
    try {
      await solver(change, deps).present(challengeOf(domain), signal);
    } catch (error) {
      assert.instance(error, CertwheelError);
      for (const { secret } of Object.values(KEYS)) assert.not.match((error as Error).message, secret);
      return error as CertwheelError;
    }
    throw new Error('it was not refused');
  };
  const late = { ...systemClock, now: () => new Date(Date.now() - 3_600_000) };
  const garbage = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((resolve) => garbage.listen(0, '127.0.0.1', resolve));
  onStop(() => garbage.close());
  const garbagePort = (garbage.address() as { port: number }).port;
  const closedPort = await freePort();

  interface Row {
    readonly what: string;
    readonly change?: Partial<Rfc2136Solver>;
    readonly deps?: DepsChange;
    readonly domain?: string;
    readonly code?: string;
    readonly message: RegExp;
    /** Whether the author of a CertificateAuthority may read it: the server has proven that it has the key. */
    readonly isProven?: boolean;
  }
  const ROWS: readonly Row[] = [
    {
      what: 'a key that the server has not',
      change: { tsigKeyName: 'unknown' },
      message: /no TSIG key unknown with HMACSHA256 \(BADKEY\)/,
    },
    { what: 'another algorithm', change: { tsigAlgorithm: 'HMACSHA512' }, message: /\(BADKEY\)/ },
    {
      what: 'another secret',
      deps: { secrets: { certwheel: 'AAAA' } },
      message: /\(BADSIG\); key tsig of Secret certwheel must hold/,
    },
    { what: 'a clock an hour behind', deps: { clock: late }, message: /by 36\d\d s \(BADTIME\)/, isProven: true },
    {
      what: 'a name that the key may not change',
      change: {
        tsigKeyName: 'narrow',
        tsigAlgorithm: 'HMACSHA512',
        tsigSecretSecretRef: { name: 'narrow', key: 'tsig' },
      },
      message: /update-policy \{ grant narrow name _acme-challenge\.www\.example\.test\. TXT; \};/,
      isProven: true,
    },
    {
      what: 'a zone that it has not',
      change: { zone: 'test' },
      message: /not the primary server of the zone test \(NOTAUTH\)/,
      isProven: true,
    },
    {
      what: 'a zone without the name',
      change: { zone: 'challenges.test' },
      message: /is not in the zone challenges\.test/,
      isProven: true,
    },
    {
      what: 'a name in no zone of it',
      domain: 'www.example.net',
      message: /has no zone for _acme-challenge\.www\.example\.net \(REFUSED\)/,
    },
    { what: 'a CNAME in a circle', domain: 'loop.example.test', message: /more than 8 CNAME records/ },
    {
      what: 'a missing Secret',
      change: { tsigSecretSecretRef: { name: 'none', key: 'tsig' } },
      code: 'CredentialsNotFound',
      message: /there is no Secret none in namespace shop/,
      isProven: true,
    },
    {
      what: 'a missing key of the Secret',
      change: { tsigSecretSecretRef: { name: 'certwheel', key: 'none' } },
      code: 'CredentialsNotFound',
      message: /Secret certwheel in namespace shop has no key none/,
      isProven: true,
    },
    {
      what: 'a secret that is no base64',
      deps: { secrets: { certwheel: 'secret!' } },
      code: 'CredentialsRefused',
      message: /is no base64; it must hold/,
      isProven: true,
    },
    {
      what: 'a port where nothing listens',
      change: { nameserver: `127.0.0.1:${closedPort}` },
      code: 'AuthorityUnreachable',
      message: /the connection was refused/,
    },
    {
      what: 'a server of another protocol',
      change: { nameserver: `127.0.0.1:${garbagePort}` },
      message: /ended before an answer was complete/,
    },
    {
      what: 'an address of this host',
      deps: { loopback: false },
      code: 'AuthorityMisconfigured',
      message: /is this host itself/,
      isProven: true,
    },
    {
      what: 'a link-local address',
      change: { nameserver: '169.254.169.254' },
      code: 'AuthorityMisconfigured',
      message: /is a link-local address/,
      isProven: true,
    },
    {
      what: 'a name of this host',
      change: { nameserver: `localhost:${bind.port}` },
      deps: { loopback: false },
      code: 'AuthorityMisconfigured',
      message: /is this host itself/,
      isProven: true,
    },
  ];
  for (const { what, change, deps, domain, code = 'ChallengeFailed', message, isProven = false } of ROWS) {
    test(`${what}: the error says what to do`, async () => {
      const error = await refused(change ?? {}, deps, domain);
      assert.match(error.message, message);
      assert.is(error.code, code);
      assert.is(error.name, 'RetryableError');
    });

    test(`${what}: the author of a CertificateAuthority ${isProven ? 'reads it' : 'learns nothing about the server'}`, async () => {
      const error = await refused(change ?? {}, { ...deps, clusterWide: false }, domain);
      if (isProven) assert.match(error.message, message);
      else
        assert.match(
          error.message,
          /can't be used as a name server: it can't be reached, is not trusted, or does not answer as one/,
        );
    });
  }
}

test.run();
