import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate } from '../../test/unit/builders.ts';
import { rulesOf } from '../../test/unit/rules-of.ts';
import type { AnyCertificateAuthority } from '../api/certificate-authority.ts';
import { brokenClientCertificate, type ClientCertificate } from '../api/client-certificate.ts';
import { keyOf } from '../api/parse.ts';
import { noPlaceOf } from './denial.ts';
import { permissionOf } from './permission.ts';
import { Places, withPlace } from './places.ts';

const AUTHORITY = 'ClusterCertificateAuthority/platform';
const RULES = [
  { name: 'few', commonNames: ['few-*'], maxCertificates: 2 },
  { name: 'more', commonNames: ['more-*'], maxCertificates: 4 },
  { name: 'any', commonNames: ['any-*'] },
];

interface Wish {
  readonly name: string;
  readonly second?: number;
  readonly uid?: string;
  readonly rule?: string;
  readonly authority?: string;
  readonly suspend?: boolean;
}

function wished({ name, second = 0, uid = name, rule = 'few', authority = 'platform', suspend = false }: Wish) {
  const creationTimestamp = `2026-06-01T12:00:${String(second).padStart(2, '0')}Z`;
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: authority };
  return aCertificate({ authorityRef, commonName: `${rule}-x`, suspend })
    .with({ name, uid, creationTimestamp })
    .build();
}

/** Caches that a test fills. */
class World {
  readonly certificates = new Map<string, ClientCertificate>();
  /** How often the certificates of the namespace were read. */
  reads = 0;
  labels: Readonly<Record<string, string>> = {};
  authority = { uid: 'a', generation: 1, issuancePolicy: rulesOf(RULES) } as unknown as AnyCertificateAuthority;
  readonly places = new Places({
    authority: (key) => (key === AUTHORITY ? this.authority : undefined),
    labels: () => this.labels,
    certificate: (key) => this.certificates.get(key),
    certificates: (authority) => {
      this.reads++;
      return [...this.certificates.values()].filter(
        ({ spec: { authorityRef } }) => `${authorityRef.kind}/${authorityRef.name}` === authority,
      );
    },
  });

  /** Returns the names of others that are to be woken. */
  put(wish: Wish): string[] {
    const resource = wished(wish);
    const before = this.certificates.get(keyOf(resource));
    this.certificates.set(keyOf(resource), resource);
    return this.places.certificateChanged(before, resource).map(nameIn);
  }

  remove(name: string, after?: ReturnType<typeof brokenClientCertificate>): string[] {
    const before = this.certificates.get(`team/${name}`);
    this.certificates.delete(`team/${name}`);
    return this.places.certificateChanged(before, after).map(nameIn);
  }

  /** Whether the certificate has a place, or needs none. */
  admits(resource: ClientCertificate): boolean {
    if (resource.spec.authorityRef.name !== 'platform') return false;
    const { issuancePolicy } = this.authority as Extract<AnyCertificateAuthority, { type: string }>;
    const permission = permissionOf(issuancePolicy, resource, this.labels);
    return withPlace(permission, (rule) => this.places.ahead(resource, rule)).is === 'allowed';
  }

  get admitted(): string[] {
    return [...this.certificates.values()].filter((each) => this.admits(each)).map(({ name }) => name);
  }
}

const nameIn = (key: string) => key.slice('team/'.length);

function filled(...wishes: Wish[]): World {
  const world = new World();
  for (const each of wishes) world.put(each);
  assert.ok(world.admitted);
  return world;
}

test('the oldest have the places, of the same second those with the smaller uid', () => {
  const world = filled(
    { name: 'young', second: 2 },
    { name: 'b', second: 1 },
    { name: 'c', second: 1 },
    { name: 'a', second: 1 },
  );
  assert.equal(world.admitted.sort(), ['a', 'b']);
});

test('a place that becomes free wakes the next in line alone', () => {
  const world = filled(...['a', 'b', 'c', 'd', 'e'].map((name, second) => ({ name, second })));
  assert.equal(world.remove('a'), ['c']);
  assert.equal(world.admitted, ['b', 'c']);
  assert.equal(world.remove('e'), [], 'one that waited');
  assert.equal(world.put({ name: 'b', second: 1, rule: 'any' }), ['d'], 'another rule decides about it now');
  const broken = brokenClientCertificate(aCertificate().with({ name: 'c' }).raw, 'nonsense');
  assert.equal(world.remove('c', broken), [], 'nothing waits any more');
  assert.equal(world.admitted, ['b', 'd']);
});

test('an older one that comes later takes the place of the youngest that had one', () => {
  const world = filled({ name: 'b', second: 2 }, { name: 'c', second: 3 }, { name: 'd', second: 4 });
  assert.equal(world.put({ name: 'a', second: 1 }), ['c']);
  assert.equal(world.admitted, ['b', 'a']);
});

test('a suspended one and one that is being deleted keep their places', () => {
  const world = filled({ name: 'a' }, { name: 'b', second: 1 }, { name: 'c', second: 2 });
  assert.equal(world.put({ name: 'a', suspend: true }), []);
  assert.equal(world.admitted, ['a', 'b']);
});

test('one of the same name that is made anew goes to the end of the line', () => {
  const world = filled({ name: 'a' }, { name: 'b', second: 1 }, { name: 'c', second: 2 });
  assert.equal(world.put({ name: 'a', second: 3, uid: 'another' }), ['c']);
  assert.equal(world.admitted, ['b', 'c']);
});

test('where the client has the key, its request says under which rule a certificate has its place', () => {
  const rules = [
    { name: 'ecdsa', commonNames: ['*'], keyAlgorithms: ['ECDSA'], maxCertificates: 1 },
    { name: 'rsa', commonNames: ['*'], keyAlgorithms: ['RSA'] },
  ];
  const world = new World();
  world.authority = { uid: 'a', generation: 1, issuancePolicy: rulesOf(rules) } as unknown as AnyCertificateAuthority;
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'platform' };
  const put = (name: string, spec: object) => {
    const creationTimestamp = `2026-06-01T12:00:0${world.certificates.size}Z`;
    const resource = aCertificate({ authorityRef, commonName: name, ...spec })
      .with({ name, uid: name, creationTimestamp })
      .build();
    world.certificates.set(keyOf(resource), resource);
    world.places.certificateChanged(undefined, resource);
    return resource;
  };
  const older = put('older', { csr: { configMap: { name: 'older', key: 'csr' } } });
  const younger = put('younger', {});
  assert.equal(world.admits(younger), false, 'the request of the other one is not read yet');
  const key = { algorithm: 'RSA', size: 2048, encoding: 'PKCS8' };
  const read = { ...older, spec: { ...older.spec, key, request: { keySpec: key } } } as unknown as ClientCertificate;
  assert.equal(world.places.requestRead(read), ['team/younger']);
  assert.equal(world.places.requestRead(read), []);
  assert.equal([world.admits(read), world.admits(younger)], [true, true]);
  world.places.certificateChanged(older, older);
  assert.equal(world.admits(younger), true, 'a change of its status does not file it anew');
  world.places.certificateChanged(older, undefined);
  world.certificates.delete('team/older');
  assert.equal(world.admits(younger), true);
  assert.equal(world.places.requestRead(read), [], 'one that is gone by the time at which it is read');
  assert.equal(world.admits(younger), true);
});

test('where no rule that decides has a maximum, no certificate of the namespace is read', () => {
  const world = filled({ name: 'a', rule: 'any' }, { name: 'b', rule: 'any' });
  assert.equal(world.admitted, ['a', 'b']);
  assert.is(world.reads, 0);
});

test('the certificates of a namespace are read once, however many of them change', () => {
  const world = filled({ name: 'first' });
  for (let second = 1; second < 40; second++) {
    world.put({ name: `c${second}`, second });
    assert.is(world.admitted.length, Math.min(2, second + 1));
  }
  assert.is(world.reads, 1);
});

test('with other rules, or other labels of the namespace, all is counted anew', () => {
  const world = filled({ name: 'a' }, { name: 'b', second: 1 }, { name: 'c', second: 2 });
  const issuancePolicy = rulesOf(RULES.map((each) => ({ ...each, maxCertificates: 3 })));
  world.authority = { ...world.authority, generation: 2, issuancePolicy } as never;
  assert.equal(world.remove('b'), [], 'the change of the authority wakes all');
  assert.equal(world.admitted, ['a', 'c']);
  world.labels = { tier: 'a' };
  assert.equal(world.remove('a'), [], 'the change of the labels wakes all');
  assert.equal(world.admitted, ['c']);
  assert.is(world.reads, 3);
});

test('a change of an authority that leaves its rules as they are counts nothing anew', () => {
  const world = filled({ name: 'a' }, { name: 'b', second: 1 }, { name: 'c', second: 2 });
  for (let generation = 2; generation < 10; generation++) {
    world.authority = { ...world.authority, generation, issuancePolicy: rulesOf(RULES) } as never;
    assert.equal(world.admitted, ['a', 'b']);
  }
  assert.is(world.reads, 1);
});

test('nothing is kept of an authority that is gone, nor of a namespace without certificates', () => {
  const world = filled({ name: 'a' }, { name: 'b' }, { name: 'c' });
  world.places.forget(AUTHORITY);
  assert.equal(world.remove('a'), []);
  for (const name of ['b', 'c']) world.remove(name);
  assert.is(world.reads, 1);
});

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
/** Each name may be made anew once. */
const made = fc
  .record({ name, second: fc.nat(3), rule: fc.constantFrom('few', 'more', 'any', 'none'), isSecond: fc.boolean() })
  .map(({ isSecond, ...wish }) => ({ ...wish, uid: `${isSecond ? 'z' : 'a'}-${wish.name}` }));
const change = fc.oneof(
  { weight: 4, arbitrary: made },
  { weight: 1, arbitrary: fc.record({ name, second: fc.nat(3), authority: fc.constant('other') }) },
  { weight: 2, arbitrary: name },
);

test('after any changes, those woken are the others whose place has changed, and no more', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const world = new World();
      for (const each of changes) {
        const before = new Set(world.admitted);
        const woken = typeof each === 'string' ? world.remove(each) : world.put(each);
        const after = new Set(world.admitted);
        const self = typeof each === 'string' ? each : each.name;
        const moved = [...world.certificates.values()]
          .map((one) => one.name)
          .filter((one) => one !== self && before.has(one) !== after.has(one));
        assert.equal(woken.sort(), moved.sort());
        assert.equal([...after].sort(), afresh(world));
      }
    }),
    { numRuns: 500 },
  );
});

/** By sorting all that a rule decides about. */
function afresh({ certificates }: World): string[] {
  const all = [...certificates.values()].filter(({ spec }) => spec.authorityRef.name === 'platform');
  const under = (rule: string) =>
    all
      .filter(({ spec }) => spec.identity.subject.commonName === `${rule}-x`)
      .sort((one, other) => (`${one.createdAt}/${one.uid}` < `${other.createdAt}/${other.uid}` ? -1 : 1))
      .map((each) => each.name);
  return [...under('few').slice(0, 2), ...under('more').slice(0, 4), ...under('any')].sort();
}

test('what waits says by which rule, for how many, and what to do', () => {
  const world = filled({ name: 'a' }, { name: 'b' }, { name: 'c' });
  const resource = wished({ name: 'c' });
  const { issuancePolicy } = world.authority as Extract<AnyCertificateAuthority, { type: string }>;
  const permission = withPlace(permissionOf(issuancePolicy, resource, {}), () => 2);
  assert.ok(permission.is === 'full');
  assert.is(
    noPlaceOf(resource, permission),
    'rule few of ClusterCertificateAuthority platform allows namespace team 2 ClientCertificates, and older ones have the places; delete one that is not needed (kubectl get ccert -n team --sort-by=.metadata.creationTimestamp), or ask a cluster administrator for a higher maxCertificates in the rule',
  );
  assert.match(
    noPlaceOf(resource, { ...permission, most: 1 }),
    'team 1 ClientCertificate, and an older one has the place;',
  );
});

test.run();
