import fc from 'fast-check';

/** Specs of ClientCertificates that the API server would admit. */

const text = fc.stringMatching(/^[a-zA-Z0-9äß日][a-zA-Z0-9 äß日.,+="-]{0,20}[a-zA-Z0-9]$/);
const list = <T>(item: fc.Arbitrary<T>) => fc.uniqueArray(item, { maxLength: 3 });
const dnsName = fc.stringMatching(
  /^([*][.])?[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?([.][a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?){0,3}$/,
);
const mailAddress = fc.stringMatching(
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,6}([.][A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,6}){0,2}@[A-Za-z0-9]{1,9}([.][A-Za-z0-9]{1,9}){0,2}$/,
);
const uri = fc.stringMatching(
  /^[a-z][a-z0-9+.-]{0,5}:\/\/([A-Za-z0-9._~!$&'()*+,;=-]{1,9}@)?[A-Za-z0-9_]{1,9}([.][A-Za-z0-9]{1,9}){0,2}(\/[A-Za-z0-9._~-]{1,9}){0,2}(\/%[0-9A-F]{2})?$/,
);
const wholeSeconds = fc.integer({ min: 60, max: 90 * 86_400 }).map((seconds) => `${seconds}s`);
const fractions = fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 99_999 }));
const duration = fc.oneof(
  wholeSeconds,
  fractions.map(([hours, part]) => `${hours}.${String(part).padStart(5, '0')}h`),
  fractions.map(([minutes, part]) => `${minutes}m${minutes}.${part}s`),
);
const privateKey = fc.record(
  {
    algorithm: fc.constantFrom('ECDSA', 'Ed25519'),
    rotationPolicy: fc.constantFrom('Always', 'Never'),
  },
  { requiredKeys: [] },
);
const usage = fc.constantFrom('content commitment', 'server auth', 'email protection');
const renewal = fc.oneof(
  fc.constant({}),
  wholeSeconds.map((renewBefore) => ({ renewBefore })),
  fc.integer({ min: 1, max: 99 }).map((renewBeforePercentage) => ({ renewBeforePercentage })),
);
const templateKey = fc.oneof(
  fc.stringMatching(/^([a-z]{1,5}[.]example\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,8}[A-Za-z0-9])?$/),
  fc.constantFrom('constructor', 'toString', 'hasOwnProperty', 'valueOf'),
);
const labelValue = fc.stringMatching(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,8}[A-Za-z0-9])?)?$/);

export const arbitrarySpec = fc
  .tuple(
    fc.record(
      {
        subject: fc.record(
          {
            organizations: list(text),
            organizationalUnits: list(text),
            countries: list(fc.stringMatching(/^[A-Z]{2}$/)),
            localities: list(text),
            serialNumber: fc.stringMatching(/^[A-Za-z0-9 '()+,./:=?-]{1,12}$/),
          },
          { requiredKeys: [] },
        ),
        dnsNames: list(dnsName),
        uris: list(uri),
        emailAddresses: list(mailAddress),
        ipAddresses: list(fc.oneof(fc.ipV4(), fc.ipV6())),
        privateKey,
        secretTemplate: fc.record({
          labels: fc.dictionary(templateKey, labelValue, { maxKeys: 3 }),
          annotations: fc.dictionary(templateKey, fc.string(), { maxKeys: 3 }),
        }),
        usages: list(usage).map((more) => ['digital signature', 'client auth', ...more]),
        deletionPolicy: fc.constantFrom('Delete', 'Retain'),
      },
      { requiredKeys: [] },
    ),
    renewal,
    duration,
    text,
  )
  .map(([fields, renewBefore, life, commonName]) => ({ ...fields, ...renewBefore, duration: life, commonName }));
