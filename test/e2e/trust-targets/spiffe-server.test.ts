/** What go-spiffe, the library of the SPIFFE project, says of servers and bundles, and what Certwheel says of the same. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SpiffeBundleSource } from '../../../src/api/generated/types.ts';
import { systemClock } from '../../../src/clock.ts';
import { type CertificateView, parseCertificate } from '../../../src/pki/certificate.ts';
import { readSpiffeBundle } from '../../../src/pki/spiffe-bundle.ts';
import { BundleEndpoint } from '../../../src/trust-targets/bundle-endpoint.ts';
import { type Holder, root } from '../../pki/make.ts';
import { ensureProgram } from '../../programs/programs.ts';
import { onStop, stopAll } from '../../teardown.ts';
import { jwtKey, spiffeDocument, spiffeKey } from '../../unit/spiffe-document.ts';
import { casOf, startSpiffeEndpoint } from './spiffe-endpoint.ts';

test.after(stopAll);

const nothing = () => {};
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const { signal } = new AbortController();

function read(source: object, known?: readonly CertificateView[]) {
  const place = { clock: systemClock, log, clusterWide: true, name: 'ca', namespace: '', rules: { loopback: true } };
  return new BundleEndpoint(source as SpiffeBundleSource, place).read(known, signal);
}

async function refusal(source: object, known?: readonly CertificateView[]): Promise<string> {
  const error = await read(source, known).then(
    () => undefined,
    (thrown) => thrown,
  );
  assert.is(error?.code, 'TrustEndpointUnreachable');
  return error.message;
}

test('a server of https_spiffe is read with its SPIFFE ID and the bundle of its trust domain', async () => {
  const endpoint = await startSpiffeEndpoint('https_spiffe');
  const { certificates } = await read((await endpoint.source()).spiffeBundle);
  const cas = casOf(await endpoint.tell('state'));
  assert.equal(
    certificates.map(({ der }) => der.toString('base64')),
    cas,
  );
});

test('a server with another SPIFFE ID is not', async () => {
  const endpoint = await startSpiffeEndpoint('https_spiffe');
  const { spiffeBundle } = await endpoint.source({ endpointSPIFFEID: 'spiffe://partner.example/spire/server2' });
  assert.match(await refusal(spiffeBundle), 'has the SPIFFE ID spiffe://partner.example/spire/server');
});

test('a server of another CA of the same name is not, and neither is one by its host name alone', async () => {
  const [endpoint, stranger, web] = await Promise.all([
    startSpiffeEndpoint('https_spiffe'),
    startSpiffeEndpoint('https_spiffe'),
    startSpiffeEndpoint('https_web'),
  ]);
  const bundle = JSON.stringify((await stranger.tell('state')).bundle);
  const message = await refusal((await endpoint.source({ bundle })).spiffeBundle);
  assert.match(message, 'put the present bundle of the trust domain into bundle');
  const { url, id, bundle: own } = await web.tell('state');
  const asSpiffe = { profile: 'https_spiffe', endpointSPIFFEID: id, bundle: JSON.stringify(own), caBundle: undefined };
  const { spiffeBundle } = await web.source({ endpoint: url, ...asSpiffe });
  assert.match(await refusal(spiffeBundle), "can't be trusted");
});

test('a server with a certificate of a CA that has left the bundle is not, though the bundle of the spec has it', async () => {
  const endpoint = await startSpiffeEndpoint('https_spiffe');
  const { spiffeBundle } = await endpoint.source();
  // The newest CA, which has not signed the server's certificate yet.
  await endpoint.tell('prepare');
  const [latest = ''] = casOf(await endpoint.tell('retire'));
  const known = [parseCertificate(Buffer.from(latest, 'base64'))];
  assert.match(await refusal(spiffeBundle, known), "can't be trusted");
  await endpoint.tell('activate');
  assert.is((await read(spiffeBundle, known)).certificates.length, 1);
});

const SEED = 20_261_129;
const DOCUMENTS = 400;

interface Verdict {
  readonly authorities: readonly string[];
  readonly problem?: string;
}

async function askGoSpiffe(documents: readonly object[]): Promise<Verdict[]> {
  const child = spawn(await ensureProgram('spiffe-bundle'), ['judge'], { stdio: ['pipe', 'pipe', 'inherit'] });
  onStop(async () => void child.kill());
  child.stdin.end(documents.map((each) => `${Buffer.from(JSON.stringify(each)).toString('base64')}\n`).join(''));
  const lines = (await text(child.stdout)).trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
}

function ourVerdict(document: object): Verdict {
  try {
    const { certificates } = readSpiffeBundle(document);
    return { authorities: [...new Set(certificates.map(({ fingerprintSHA256 }) => fingerprintSHA256))].sort() };
  } catch (error) {
    return { authorities: [], problem: (error as Error).message };
  }
}

test(`what Certwheel reads in ${DOCUMENTS} bundles is what go-spiffe reads (seed ${SEED})`, async () => {
  const cas = [await root(), await root({ keySpec: { algorithm: 'RSA', size: 2048 } })];
  const other = await root({ keySpec: { algorithm: 'Ed25519' } });
  const der = ({ certificate }: Holder) => certificate.der.toString('base64');
  const key = fc.constantFrom(
    ...[...cas, other].flatMap((ca) => [spiffeKey(ca), spiffeKey(ca), jwtKey(ca), spiffeKey(ca, { kid: 'a' })]),
    ...cas.flatMap((ca) => [
      spiffeKey(ca, { use: 'sig' }),
      spiffeKey(ca, { use: undefined }),
      spiffeKey(ca, { x5c: undefined }),
      spiffeKey(ca, { x5c: [der(ca), der(other)] }),
      spiffeKey(ca, { x5c: [der(other)] }),
      spiffeKey(ca, { x5c: ['AAAA'] }),
      spiffeKey(ca, { alg: 'ES256' }),
    ]),
  );
  const members = fc.record({ spiffe_sequence: fc.nat(), spiffe_refresh_hint: fc.nat(100_000) }, { requiredKeys: [] });
  const noKeys = fc.constantFrom({}, {}, {}, {}, {}, {}, {}, { keys: undefined });
  const document = fc
    .tuple(fc.array(key, { maxLength: 3 }), members, noKeys)
    .map(([keys, ...more]) => spiffeDocument(keys, Object.assign({}, ...more)));
  const documents = fc.sample(document, { seed: SEED, numRuns: DOCUMENTS });
  const theirs = await askGoSpiffe(documents);
  assert.is(theirs.length, DOCUMENTS);
  const faults = documents.flatMap((each, index) => {
    const [ours, go] = [ourVerdict(each), theirs[index]];
    const isSame =
      go !== undefined &&
      (ours.problem === undefined) === (go.problem === undefined) &&
      ours.authorities.join() === go.authorities.join();
    return isSame ? [] : [`${JSON.stringify(each).slice(0, 300)}: ${ours.problem} ${go?.problem}`];
  });
  assert.equal(faults.slice(0, 3), []);
  assert.ok(theirs.filter(({ problem }) => problem === undefined).length > 50);
  assert.ok(theirs.filter(({ problem }) => problem !== undefined).length > 50);
});

test.run();
