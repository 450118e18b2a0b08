/**
 * Random CAs with constraints, against OpenSSL, Go and Java. CHAINS_SEED says where to begin, CHAINS_COUNT how many paths
 * there are of each kind (500).
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CertificateView } from '../../../src/pki/certificate.ts';
import { pathConstraintsProblem } from '../../../src/pki/constraints/constraints.ts';
import type { Subject } from '../../../src/pki/name.ts';
import type { Names } from '../../../src/pki/san.ts';
import { type CaContent, type LeafContent, makePath } from '../constrained.ts';
import { numberFrom, repeatCommand, seedOfRun } from '../repeat.ts';
import { refusalOf } from '../verifiers/judges.ts';
import {
  dirName,
  inhibitAnyPolicy,
  nameConstraints,
  policies,
  policyConstraints,
  policyMappings,
} from '../write-extensions.ts';
import { ask, judges, leafProblem } from './ask.ts';
import { mailIssuer, mailLeaf } from './random-mail.ts';

const seed = seedOfRun();
const count = numberFrom('CHAINS_COUNT') ?? 500;
console.log(`# ${repeatCommand('test/pki/agreement/random-constraints.test.ts', seed)}`);

test.after(judges.stop);

function of<T>(...values: T[]): fc.Arbitrary<T> {
  return fc.constantFrom(...values);
}

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });

const DOMAINS = ['zoo.example', 'a.zoo.example', 'b.a.zoo.example', 'oo.example', 'ZOO.example'];
const domain = of(...DOMAINS);
const some = <T>(value: fc.Arbitrary<T>, maxLength = 2) => fc.array(value, { maxLength });

const names: fc.Arbitrary<Names> = fc.record({
  dnsNames: some(fc.oneof(domain, of('*.zoo.example', '*.a.zoo.example', 'single'))),
  uris: some(
    fc.oneof(
      domain.map((host) => `spiffe://${host}/x`),
      of(
        'spiffe://zoo.example:80/x',
        'spiffe://zoo.example/a:b',
        'https://u@zoo.example/',
        'https://zoo.example?q',
        'urn:x',
      ),
    ),
    1,
  ),
  emailAddresses: some(
    domain.map((host) => `User@${host}`),
    1,
  ),
  ipAddresses: some(of('10.1.2.3', '10.9.9.9', '192.0.2.1', '2001:db8::1'), 1),
});
const subject: fc.Arbitrary<Subject> = fc
  .record({
    organizations: some(of('Zoo', 'zoo', 'Zoo  Inc', 'Ark'), 1),
    organizationalUnits: some(of('Cages'), 1),
    commonName: maybe(
      of('the client', 'zoo.example', 'x.zoo.example', 'client', '10.1.2.3', 'with_underscore.example'),
    ),
  })
  .map(({ commonName = 'the client', ...rest }) => ({ ...rest, commonName }));

const dotted = fc.tuple(of('', '.'), domain).map(([dot, host]) => dot + host);
const subtree = fc.oneof(
  dotted.map((host) => `DNS:${host}`),
  dotted.map((host) => `URI:${host}`),
  dotted.map((host) => `email:${host}`),
  domain.map((host) => `email:${host.startsWith('Z') ? 'user' : 'User'}@${host}`),
  of(
    'IP:10.0.0.0/255.0.0.0',
    'IP:10.1.0.0/255.255.0.0',
    'IP:10.1.1.1/255.0.0.0',
    'IP:2001:db8::/ffff:ffff::',
    'IP:0.0.0.0/0.0.0.0',
    'IP:::/::',
  ),
  of(
    'DNS:',
    'URI:',
    'email:',
    'URI:a_b.example',
    'RID:1.2.3',
    'IP:10.0.0.0/255.0.255.0',
    'DNS:zoo.example.',
    'email:a b@x',
  ),
  of({}, { organizations: ['ZOO'] }, { organizations: ['Ark'] }, { organizations: ['zoo inc'] }).map(dirName),
);
const subtrees = fc
  .record({
    permitted: maybe(fc.array(subtree, { minLength: 1, maxLength: 4 })),
    excluded: maybe(fc.array(subtree, { minLength: 1, maxLength: 2 })),
    critical: of(true, false),
  })
  .map(({ critical, ...rest }) => nameConstraints(rest, critical));

const nameIssuer: fc.Arbitrary<CaContent> = fc.record({
  subject: maybe(of<Subject>({ commonName: 'Zoo' }, { organizations: ['Zoo'], commonName: 'An intermediate' })),
  usages: maybe(of(['client auth'], ['client auth', 'server auth'], ['server auth'], ['any'], ['any', 'client auth'])),
  extensions: maybe(subtrees).map((each) => (each ? [each] : [])),
  names: maybe(names),
});
const nameLeaf: fc.Arbitrary<LeafContent> = fc.record({
  subject,
  names,
  usages: of(['client auth'], ['digital signature', 'client auth'], ['client auth', 'server auth']),
});

/** Of forms that the leaf has no name of, so that nothing but the merging of the CAs matters. */
const mergedSubtree = fc.oneof(
  dotted.map((host) => `URI:${host}`),
  dotted.map((host) => `email:${host}`),
  of('email:user@zoo.example', 'email:User@a.zoo.example'),
  of('0.0.0.0/0.0.0.0', '10.0.0.0/255.0.0.0', '10.1.0.0/255.255.0.0', '10.1.1.1/255.0.0.0').map(
    (range) => `IP:${range}`,
  ),
  of('IP:::/::', 'IP:2001:db8::/ffff:ffff::', 'IP:2001:db8:1::/ffff:ffff:ffff::'),
);
const mergedIssuer: fc.Arbitrary<CaContent> = fc
  .record({
    permitted: maybe(fc.array(mergedSubtree, { minLength: 1, maxLength: 2 })),
    excluded: fc.option(fc.array(mergedSubtree, { minLength: 1, maxLength: 1 }), { nil: undefined, freq: 1 }),
  })
  .filter(({ permitted, excluded }) => permitted !== undefined || excluded !== undefined)
  .map((each) => ({ extensions: [nameConstraints(each)] }));
const namelessLeaf: fc.Arbitrary<LeafContent> = fc.constant({ subject: { commonName: 'the client' } });

const policy = of('1.2.3', '1.2.4', '1.2.5', '2.5.29.32.0');
const policyList = fc.uniqueArray(policy, { minLength: 1, maxLength: 3 });
const skip = fc.integer({ min: 0, max: 2 });
const policyIssuer: fc.Arbitrary<CaContent> = fc
  .record({
    list: fc.option(policyList, { nil: undefined, freq: 4 }),
    mappings: maybe(fc.array(fc.tuple(policy, policy), { minLength: 1, maxLength: 2 })),
    constraints: maybe(fc.tuple(maybe(skip), skip)),
    inhibit: maybe(skip),
    selfIssued: fc.integer({ min: 0, max: 5 }).map((each) => each === 0),
  })
  .map(({ list, mappings, constraints, inhibit, selfIssued }) => ({
    ...(selfIssued && { subject: { commonName: 'CA_same' } }),
    extensions: [
      ...(list ? [policies(list)] : []),
      ...(mappings ? [policyMappings(mappings)] : []),
      ...(constraints ? [policyConstraints(...constraints)] : []),
      ...(inhibit === undefined ? [] : [inhibitAnyPolicy(inhibit)]),
    ],
  }));
const policyLeaf: fc.Arbitrary<LeafContent> = fc.record({ policies: maybe(policyList) });

function paths(leaf: fc.Arbitrary<LeafContent>, issuer: fc.Arbitrary<CaContent>, fewest: number): CertificateView[][] {
  const path = fc.tuple(leaf, fc.array(issuer, { minLength: fewest, maxLength: 4 }));
  return fc.sample(path, { seed, numRuns: count }).map(([each, issuers]) => makePath(each, ...issuers));
}

interface Judged {
  readonly path: readonly CertificateView[];
  /** Undefined and null where the path is accepted. */
  readonly ours: string | undefined;
  readonly theirs: string | null;
}

/** Where Certwheel refuses a path that all verifiers accept. */
const EXCEPTIONS: readonly ((refusal: string, path: readonly CertificateView[]) => boolean)[] = [
  // Java doesn't read what it can't parse in an extension that isn't critical; Go and OpenSSL compare it.
  (refusal) =>
    /has the name constraint (URI|email):.*(which is empty: Java refuses that|which Go or Java can't read)/.test(
      refusal,
    ),
  // RFC 5280 forbids it, and Go and Java look only while there are policies to map.
  (refusal) => /maps anyPolicy/.test(refusal),
  // Java finds nothing inside such a range, but reads no constraints out of an anchor.
  (refusal) => /permits: .*IP:10\.1\.1\.1\/8/.test(refusal),
  // The leaf would need a policy that no CA names; Certwheel copies policies and invents none.
  (refusal) => /no CA names one and anyPolicy is inhibited/.test(refusal),
  // RFC 5280 exempts self-issued CAs, and Go alone compares their names, more loosely than the others compare URIs and mail.
  (refusal, path) =>
    / is forbidden by a CA above it: (dnsNames|uris|emailAddresses|ipAddresses) /.test(refusal) &&
    path.slice(1, -1).some(({ subjectDer, issuerDer }) => subjectDer.equals(issuerDer)),
];

async function judge(path: readonly CertificateView[]): Promise<Judged> {
  const ours = pathConstraintsProblem(path.slice(1)) ?? leafProblem(path)?.problem;
  return { path, ours, theirs: refusalOf(await ask(path)) };
}

/** Not as the message of an assertion, which uvu prints twice. */
function print([first]: readonly Judged[]): void {
  if (first !== undefined) console.log(first.path.map(({ pem }) => pem).join(''));
}

for (const [what, leaf, issuer, fewest] of [
  ['names and usages', nameLeaf, nameIssuer, 1],
  ['policies', policyLeaf, policyIssuer, 1],
  ['subtrees that Java merges', namelessLeaf, mergedIssuer, 1],
  ['mail addresses', mailLeaf, mailIssuer, 3],
] as const) {
  test(`${what}: what is accepted here, OpenSSL, Go and Java accept, and the other way round`, async () => {
    const judged: Judged[] = [];
    for (const path of paths(leaf, issuer, fewest)) judged.push(await judge(path));
    const lax = judged.filter((each) => each.ours === undefined && each.theirs !== null);
    print(lax);
    assert.equal(
      lax.map(({ theirs }) => theirs),
      [],
    );
    const strict = judged.filter(
      ({ path, ours, theirs }) => theirs === null && ours !== undefined && !EXCEPTIONS.some((fits) => fits(ours, path)),
    );
    print(strict);
    assert.equal(
      strict.map(({ ours }) => ours),
      [],
    );
    if (count >= 100)
      assert.ok(judged.some(({ ours }) => ours === undefined) && judged.some(({ ours }) => ours !== undefined));
  });
}

test.run();
