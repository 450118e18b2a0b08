import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { below, type CaContent, type LeafContent, makePath, named } from '../../../test/pki/constrained.ts';
import { dirName, extension, type Subtrees } from '../../../test/pki/write-extensions.ts';
import { cpuMs } from '../../../test/unit/cpu.ts';
import { implicit, sequence } from '../asn1/write.ts';
import type { Subject } from '../name.ts';
import { NO_NAMES } from '../san.ts';
import { compileConstraints, constraintsProblem, pathConstraintsProblem } from './constraints.ts';

const NOTHING: CaContent = {};

/** The problem of the leaf under the constraints of its signer, below an anchor without constraints. */
function problemOf(leaf: LeafContent, ...issuers: CaContent[]) {
  const [client, ...rest] = makePath(leaf, ...issuers, NOTHING);
  assert.ok(client);
  return constraintsProblem(compileConstraints(rest), client);
}

function pathProblemOf(...issuers: CaContent[]): string | undefined {
  return pathConstraintsProblem(makePath({}, ...issuers).slice(1));
}

test('a leaf outside the permitted DNS subtree is refused with the CA, the subtree and the name', () => {
  assert.equal(problemOf(named({ dnsNames: ['payments.shop.svc'] }), below({ permitted: ['DNS:zoo.example'] })), {
    field: 'dnsNames',
    problem:
      'dnsNames holds "payments.shop.svc", which is outside the subtrees that the CA CN=Zoo permits: DNS:zoo.example',
  });
});

test('a leaf inside an excluded subtree is refused with the subtree', () => {
  assert.equal(problemOf(named({ emailAddresses: ['a@zoo.example'] }), below({ excluded: ['email:zoo.example'] })), {
    field: 'emailAddresses',
    problem:
      'emailAddresses holds "a@zoo.example", which is within a subtree that the CA CN=Zoo excludes: email:zoo.example',
  });
});

test('names of a form that no subtree has are free', () => {
  const ca = below({ permitted: ['DNS:zoo.example'], excluded: ['IP:10.0.0.0/255.0.0.0'] });
  assert.is(problemOf(named({ emailAddresses: ['a@b.example'], ipAddresses: ['192.0.2.1'] }), ca), undefined);
});

test('directory subtrees of constraints that are not critical bind the subject, whatever its case and string types', () => {
  const zoo: Subject = { organizations: ['ZOO  Inc'] };
  const permitting = below({ permitted: [dirName(zoo)] }, false);
  assert.is(problemOf({ subject: { organizations: ['zoo inc'], commonName: 'x y' } }, permitting), undefined);
  assert.equal(problemOf({ subject: { organizations: ['Ark'], commonName: 'x y' } }, permitting), {
    field: 'subject',
    problem: 'the subject is outside the subtrees that the CA CN=Zoo permits: DirName:O=ZOO  Inc',
  });
  assert.is(problemOf({ subject: zoo }, below({ excluded: [dirName(zoo)] }, false))?.field, 'subject');
});

test('all CAs of the path count, the anchor too', () => {
  const [client, ...issuers] = makePath(
    named({ dnsNames: ['a.example'] }),
    NOTHING,
    NOTHING,
    below({ permitted: ['DNS:b.example'] }),
  );
  assert.ok(client);
  assert.is(constraintsProblem(compileConstraints(issuers), client)?.field, 'dnsNames');
});

test('CAs that Java cannot merge are refused, whatever the leaf', () => {
  const [upper, lower] = [{ permitted: ['email:a.example'] }, { permitted: ['email:b.example'] }].map((each) =>
    below(each),
  ) as [CaContent, CaContent];
  assert.match(
    pathProblemOf(lower, upper, NOTHING) ?? '',
    /CN=Zoo don't go together .* together they permit nothing of the kind of email:a\.example, on which Java fails/,
  );
  assert.is(pathProblemOf(lower, NOTHING), undefined);
  assert.is(pathProblemOf(lower, upper), undefined, 'Java reads no constraints of an anchor');
});

test('of the subtrees of a form that only the lower CA has, Java keeps one', () => {
  const range = below({ permitted: ['IP:10.0.0.0/255.0.0.0'] });
  const addresses = (...permitted: string[]) => below({ permitted });
  const mail = (address: string) => named({ emailAddresses: [address] });
  const two = addresses('email:ops@example.com', 'email:.example.com');
  assert.is(problemOf(mail('ops@example.com'), two, range), undefined);
  assert.is(problemOf(mail('ops@mail.example.com'), two), undefined);
  assert.equal(problemOf(mail('ops@mail.example.com'), two, range), {
    field: 'emailAddresses',
    problem:
      'emailAddresses holds "ops@mail.example.com", which is outside the subtrees that the CA CN=Zoo, which Java merges with the CAs above it, permits: email:ops@example.com',
  });
  const spelled = addresses('email:ops@example.com', 'email:Ops@example.com');
  assert.is(problemOf(mail('ops@example.com'), spelled, range), undefined, 'Java drops one of two spellings');
  const hosts = addresses('DNS:a.example', 'DNS:b.example');
  assert.is(problemOf(named({ dnsNames: ['b.example'] }), hosts, range)?.field, 'dnsNames');
  assert.is(problemOf(named({ dnsNames: ['a.example'] }), hosts, range), undefined);
});

test('an intermediate is forbidden what Java lost when it merged the CAs above', () => {
  const names = { ...NO_NAMES, dnsNames: ['b.example'] };
  const hosts = below({ permitted: ['DNS:a.example', 'DNS:b.example'] });
  const range = below({ permitted: ['IP:10.0.0.0/255.0.0.0'] });
  assert.is(pathProblemOf({ names }, hosts, NOTHING), undefined);
  assert.match(pathProblemOf({ names }, hosts, range, NOTHING) ?? '', /which Java merges with the CAs above it/);
});

test('no subject is allowed below CAs that permit different ones, an empty one is', () => {
  const permitting = (organization: string) =>
    below({ permitted: [dirName({ organizations: [organization] })] }, false);
  const issuers = [permitting('Ark'), permitting('Zoo')];
  assert.is(problemOf({ subject: { organizations: ['Zoo'] } }, ...issuers)?.field, 'subject');
  assert.is(problemOf({ subject: {} }, ...issuers), undefined);
});

test('an extended usage that a CA lacks is refused, and any in a CA stands for none', () => {
  assert.is(problemOf({}, { usages: ['client auth', 'server auth'] }), undefined);
  assert.is(problemOf({}, NOTHING), undefined);
  assert.equal(problemOf({}, { subject: { commonName: 'Zoo' }, usages: ['server auth'] }), {
    field: 'usages',
    problem:
      'usages holds "client auth", which the extended key usage of the CA CN=Zoo lacks (it has "server auth"); OpenSSL and Go refuse that: the CA must be made again with this usage, or without an extended key usage',
  });
  assert.is(problemOf({}, { usages: ['any'] })?.field, 'usages');
  assert.is(problemOf({ usages: ['client auth', 'server auth'] }, { usages: ['client auth'] })?.field, 'usages');
});

test('an intermediate that violates the constraints of a CA above it makes the path bad', () => {
  const outside: CaContent = { subject: { commonName: 'Ark' }, names: { ...NO_NAMES, dnsNames: ['ark.example'] } };
  assert.is(
    pathProblemOf(outside, below({ permitted: ['DNS:zoo.example'] })),
    'the CA CN=Ark is forbidden by a CA above it: dnsNames holds "ark.example", which is outside the subtrees that the CA CN=Zoo permits: DNS:zoo.example',
  );
  assert.is(pathProblemOf(NOTHING, below({ permitted: ['DNS:zoo.example'] })), undefined);
});

test('forms that a verifier refuses make the path bad', () => {
  const refused: readonly [Subtrees, RegExp][] = [
    [
      { permitted: [dirName({ organizations: ['Zoo'] })] },
      /DirName:O=Zoo, which Go refuses in critical name constraints/,
    ],
    [{ excluded: ['RID:1.2.3'] }, /registeredID, which Go refuses/],
    [{ permitted: ['IP:10.0.0.0/255.0.255.0'] }, /IP:10\.0\.0\.0\/255\.0\.255\.0, whose mask isn't a run of ones/],
    [{ permitted: ['DNS:zoo.example'], distance: implicit(1, Buffer.of(3)) }, /whose minimum or maximum/],
    [{ permitted: ['DNS:zoo.example'], distance: implicit(0, Buffer.of(1)) }, /whose minimum or maximum/],
    [{ permitted: ['email:'] }, /email:, which is empty/],
    [{ permitted: ['URI:10.0.0.1'] }, /can't read/],
    [{ permitted: ['DNS:zoo.example.'] }, /can't read/],
    [{}, /empty name constraints/],
  ];
  for (const [subtrees, problem] of refused) {
    const path = makePath({}, below(subtrees), NOTHING);
    assert.match(pathConstraintsProblem(path.slice(1)) ?? '', problem);
  }
  assert.is(
    pathProblemOf(below({ permitted: ['DNS:zoo.example'], distance: implicit(0, Buffer.of(0)) }), NOTHING),
    undefined,
  );
  assert.is(pathProblemOf(below({ excluded: ['RID:1.2.3'] }, false), NOTHING), undefined);
});

test('a certificate with more than 1000 subtrees is not read', () => {
  const many = (count: number) =>
    below({ permitted: Array.from({ length: count }, (_, index) => `DNS:h${index}.example`) });
  assert.throws(() => makePath({}, many(1001)), /name constraints of more than 1000 subtrees/);
  assert.is(problemOf(named({ dnsNames: ['h999.example'] }), many(1000)), undefined);
});

test('a leaf that needs more than 10000 comparisons is refused at once', () => {
  const permitted = Array.from({ length: 1000 }, (_, index) => `DNS:h${index}.example`);
  const names = named({ dnsNames: Array.from({ length: 11 }, (_, index) => `h${index}.example`) });
  const [client, ...issuers] = makePath(names, below({ permitted }), NOTHING);
  assert.ok(client);
  const constraints = compileConstraints(issuers);
  assert.match(constraintsProblem(constraints, client)?.problem ?? '', /more than 10000 comparisons/);
  const inside = { ...client, names: { ...NO_NAMES, dnsNames: Array(10).fill('h999.example') } };
  assert.is(constraintsProblem(constraints, inside), undefined);
  assert.ok(cpuMs(() => constraintsProblem(constraints, inside)) < 50);
});

test('malformed name constraints are refused', () => {
  for (const value of ['0500', '3002a200', '30043002a000', '3004a1003000', '3004a0023000', '3004a1020500']) {
    const odd = { extensions: [extension('2.5.29.30', Buffer.from(value, 'hex'))] };
    assert.throws(() => makePath({}, odd), /./, value);
  }
  assert.throws(() => makePath({}, { extensions: [extension('2.5.29.37', sequence())] }), /without a purpose/);
});

test.run();
