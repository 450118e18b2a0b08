import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { below, makePath } from '../../test/pki/constrained.ts';
import { aCertificate } from '../../test/unit/builders.ts';
import type { PermittedNames } from '../api/generated/types.ts';
import { nameProblems } from './permitted-names.ts';

const DOMAIN = 'partner.example';
const NONE = { certificates: [] };
const HELD = below({
  permitted: [`DNS:${DOMAIN}`, `URI:${DOMAIN}`, `URI:.a.${DOMAIN}`, `email:.${DOMAIN}`, `email:a@b.${DOMAIN}`],
});
const ALL: PermittedNames = { dnsDomains: [DOMAIN], uriDomains: [DOMAIN], emailDomains: [DOMAIN] };

function problemsOf(ca: Parameters<typeof makePath>[1], permittedNames: PermittedNames) {
  const certificates = makePath({}, ca as never).slice(1);
  return nameProblems({ name: 'partner', inline: '', permittedNames }, { certificates }, []);
}

test('a CA whose name constraints are as narrow as the permitted names, or narrower, is held to them', () => {
  assert.equal(problemsOf(HELD, ALL), []);
  assert.equal(problemsOf(HELD, { ...ALL, dnsDomains: ['other.example', DOMAIN] }), []);
});

test('a CA without name constraints is not, and the sentence says what verifiers accept and what to do', () => {
  const [problem = '', ...more] = problemsOf({ subject: { commonName: 'Zoo' } }, { uriDomains: [DOMAIN] });
  assert.is(
    problem,
    'CN=Zoo has no name constraints, so verifiers that read this bundle accept from it: DNS names (none is permitted), URIs outside of partner.example, mail addresses (none is permitted); ask the partner for a CA certificate with name constraints, or have the verifiers check the name behind the handshake',
  );
  assert.equal(more, []);
});

const WIDER: Readonly<Record<string, [permitted: string[], PermittedNames]>> = {
  'a domain above': [['DNS:example', `URI:${DOMAIN}`, `email:${DOMAIN}`], ALL],
  'a domain that ends alike': [[`DNS:un${DOMAIN}`, `URI:${DOMAIN}`, `email:${DOMAIN}`], ALL],
  'a second domain': [[`DNS:${DOMAIN}`, 'DNS:other.example', `URI:${DOMAIN}`, `email:${DOMAIN}`], ALL],
  'all DNS names': [['DNS:', `URI:${DOMAIN}`, `email:${DOMAIN}`], ALL],
  'a kind without a constraint': [[`DNS:${DOMAIN}`, `email:${DOMAIN}`], ALL],
  'a kind that is not permitted': [[`DNS:${DOMAIN}`, `URI:${DOMAIN}`, `email:${DOMAIN}`], { dnsDomains: [DOMAIN] }],
};

for (const [what, [permitted, permittedNames]] of Object.entries(WIDER))
  test(`name constraints that permit ${what} are wider`, () => {
    const problems = problemsOf(below({ permitted }), permittedNames);
    assert.is(problems.length, 1);
    assert.match(problems[0] ?? '', 'has wider name constraints');
  });

test('a kind is closed by an excluded subtree that is all of it, or by a permitted one that no host is in', () => {
  const closed = below({ permitted: [`DNS:${DOMAIN}`, 'URI:.invalid'], excluded: ['email:'] });
  assert.equal(problemsOf(closed, { dnsDomains: [DOMAIN] }), []);
  // OpenSSL finds no host inside it.
  const notForOpenssl = below({ permitted: [`DNS:${DOMAIN}`], excluded: ['email:', 'URI:'] });
  assert.match(problemsOf(notForOpenssl, { dnsDomains: [DOMAIN] }).join(), 'accept from it: URIs (none is permitted);');
});

test('a certificate of this authority whose name the partner may sign too is named', () => {
  const client = (name: string, spec: object) => aCertificate(spec).with({ name }).build();
  const clients = [
    client('inside', { dnsNames: [`*.a.${DOMAIN}`] }),
    client('outside', { dnsNames: ['partner.example.com', 'apartner.example', '*.other.example'] }),
    client('above', { dnsNames: ['*.example'] }),
    client('uri', { uris: [`spiffe://${DOMAIN}/x`] }),
    client('mail', { emailAddresses: [`a@${DOMAIN}`] }),
    client('host', { commonName: `a.${DOMAIN}` }),
  ];
  const source = { name: 'partner', inline: '', permittedNames: ALL };
  const found = nameProblems(source, NONE, clients);
  assert.equal(
    found.map((each) => /^ClientCertificate [^/]*\/(\w+) has the name .* \((\w+)\)/.exec(each)?.slice(1)),
    [
      ['inside', 'dnsNames'],
      ['above', 'dnsNames'],
      ['uri', 'uris'],
      ['mail', 'emailAddresses'],
      ['host', 'commonName'],
    ],
  );
  assert.equal(nameProblems({ ...source, permittedNames: { uriDomains: ['other.example'] } }, NONE, clients), []);
  assert.equal(nameProblems({ name: 'partner', inline: '' }, NONE, clients), []);
});

test.run();
