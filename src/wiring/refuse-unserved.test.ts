import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isBrokenAuthority, parseCertificateAuthority } from '../api/certificate-authority.ts';
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

test.run();
