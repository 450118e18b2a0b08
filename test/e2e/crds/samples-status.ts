/** The fullest status of an authority, and what the statuses of all kinds have in common. */
export const moment = '2026-01-31T12:00:00Z';
export const conditions = [
  { type: 'Ready', status: 'True', reason: 'Issued', message: '', lastTransitionTime: moment, observedGeneration: 1 },
];
export const authorityStatus = {
  conditions,
  observedGeneration: 1,
  backend: 'selfManaged',
  activeGeneration: 1,
  notAfter: moment,
  leftAside: ['CN=old (serial number 01) has expired at 2026-01-01T00:00:00.000Z'],
  nextProbeTime: moment,
  trust: {
    sources: [
      {
        name: 'partner',
        certificates: 1,
        notAfter: moment,
        leftOut: ['CN=old is not a CA'],
        nameProblems: ['CN=partner has no name constraints'],
        reason: 'TrustBundleNotFound',
        message: 'there is no ConfigMap',
      },
    ],
    targets: [
      {
        name: 'gateways',
        kind: 'ConfigMap',
        object: 'client-ca',
        objects: 3,
        holding: 2,
        fingerprintsSHA256: ['ab'.repeat(32)],
        delivery: 'Pods',
        strangers: ['cd'.repeat(32)],
        waiting: [{ object: 'payments/client-ca', reason: 'TrustTargetNotOwned', message: 'it exists' }],
      },
    ],
  },
  caRotation: {
    plan: [
      {
        version: 2,
        to: 'Trusted',
        reason: 'Propagating',
        waitsFor: 'workloads have had time',
        notBefore: moment,
        deadline: moment,
      },
    ],
    requests: [{ annotation: 'certwheel.io/rollback-ca', value: '2', state: 'Refused', message: 'there is no other' }],
  },
  revocation: {
    owed: 1,
    revoked: 2,
    problems: [{ serialNumber: '3f2a', reason: 'NotInLedger', message: 'no ledger of this authority lists it' }],
    crls: [{ generation: 1, number: '7', thisUpdate: moment, nextUpdate: moment, entries: 2, bytes: 400 }],
  },
  verifiers: [
    {
      name: 'gateway',
      endpoints: 3,
      generations: [{ version: 1, verdict: 'Trusts' }],
      lastChange: moment,
      message: 'generation 2 (CN=demo v2) is refused',
    },
  ],
  demand: { certificates: 12, issuancesPerDay: 54, quotaPerDay: 714, quotaFrom: 'Quota' },
  generations: [
    {
      version: 1,
      certificates: 3,
      state: 'Active',
      since: moment,
      subject: 'CN=demo v1',
      serialNumber: '0a1b',
      fingerprintSHA256: 'ab'.repeat(32),
      publicKeyPinSHA256: 'A'.repeat(44),
      notBefore: moment,
      notAfter: moment,
      certificate: '-----BEGIN CERTIFICATE-----',
    },
  ],
};
