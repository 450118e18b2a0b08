import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isBrokenAuthority, parseCertificateAuthority } from '../api/certificate-authority.ts';
import type { AuthorityKind } from '../api/client-certificate.ts';
import { refuseUnserved } from './refuse-unserved.ts';

const EVERYTHING = { authorities: undefined, namespaces: undefined };
const SINGLE = { ...EVERYTHING, namespaces: ['shop'] };
const selector = { matchLabels: { team: 'a' } };
const rule = (namespaces: object) => ({ name: 'ops', namespaces, subject: { organizations: ['ops'] } });

function clusterAuthority(spec: object, backend: object = { selfManaged: { commonName: 'CA' } }) {
  return parseCertificateAuthority('ClusterCertificateAuthority', {
    metadata: { name: 'ca', uid: '1', resourceVersion: '1' },
    spec: { ...backend, ...spec },
  });
}

const CASES: readonly [spec: object, config: Parameters<typeof refuseUnserved>[1], code: string | undefined][] = [
  [{}, EVERYTHING, undefined],
  [{}, { ...EVERYTHING, authorities: ['vault', 'selfManaged'] }, undefined],
  [{}, { ...EVERYTHING, authorities: ['vault'] }, 'BackendDisabled'],
  [{ allowedNamespaces: { selector } }, EVERYTHING, undefined],
  [{ allowedNamespaces: { selector } }, SINGLE, 'ClusterAuthorityNotServed'],
  [{ allowedNamespaces: { names: ['shop'] } }, SINGLE, undefined],
  [{ allowedNamespaces: { all: true } }, SINGLE, undefined],
  [{}, SINGLE, undefined],
  [{ issuancePolicy: { rules: [rule({ selector })] } }, EVERYTHING, undefined],
  [{ issuancePolicy: { rules: [rule({ all: true }), rule({ selector })] } }, SINGLE, 'ClusterAuthorityNotServed'],
  [{ issuancePolicy: { rules: [rule({ names: ['shop'] })] } }, SINGLE, undefined],
];

for (const [spec, config, code] of CASES) {
  test(`${JSON.stringify(spec)} with ${JSON.stringify(config)}: ${code ?? 'served'}`, () => {
    const seen = refuseUnserved(clusterAuthority(spec), config);
    assert.is(isBrokenAuthority(seen) ? seen.code : undefined, code);
  });
}

test('an authority that is broken for another reason keeps that reason', () => {
  const broken = clusterAuthority({}, {});
  assert.ok(isBrokenAuthority(broken));
  assert.is(refuseUnserved(broken, { ...SINGLE, authorities: [] }), broken);
});

test('rules of a namespace that would take much time and memory to read are refused unread', () => {
  const refused = (kind: AuthorityKind, patterns: number) => {
    const commonNames = Array.from({ length: patterns / 40 }, (_, index) => `*${index}*`);
    const rules = Array.from({ length: 40 }, (_, index) => ({
      name: `rule-${index}`,
      ...(kind === 'ClusterCertificateAuthority' && { namespaces: { all: true } }),
      // A pattern that can't be read, so that the message says whether it was.
      commonNames: index === 0 ? ['\uE000', ...commonNames.slice(1)] : commonNames,
    }));
    const metadata = { namespace: 'shop', name: 'ca', uid: '1', resourceVersion: '1' };
    const spec = { selfManaged: { commonName: 'CA' }, issuancePolicy: { rules } };
    const seen = refuseUnserved(parseCertificateAuthority(kind, { metadata, spec }), EVERYTHING);
    assert.ok(isBrokenAuthority(seen));
    assert.ok(!('issuancePolicy' in seen) || (seen.issuancePolicy as unknown[]).length === 0, 'the rules are kept');
    return seen.problem;
  };
  assert.match(refused('CertificateAuthority', 1_000), /which can't be read/);
  assert.match(refused('CertificateAuthority', 1_040), /the rules have 1040 patterns, and those of .* may have 1000/);
  assert.match(refused('ClusterCertificateAuthority', 1_040), /which can't be read/);
});

test.run();
