import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { clientCertificateSchema } from '../api/generated/schemas.ts';
import { CLIENT_CERTIFICATES } from '../api/names.ts';
import type { Fields } from '../api/unknown-fields.ts';
import { missingFields } from './crd-fields.ts';

// biome-ignore lint/suspicious/noExplicitAny: a schema that the test takes apart.
const copy = (): any => structuredClone(clientCertificateSchema);

test('a CRD with the fields of the controller, or more, lacks none', () => {
  assert.equal(missingFields(CLIENT_CERTIFICATES, copy()), []);
  const newer = copy();
  newer.properties.spec.properties.invented = { type: 'string' };
  assert.equal(missingFields(CLIENT_CERTIFICATES, newer), []);
});

test('fields that an older CRD lacks are listed by the topmost path, those in lists too', () => {
  const older = copy();
  const { spec, status } = older.properties;
  delete spec.properties.privateKey;
  delete spec.properties.subject.properties.countries;
  delete status.properties.conditions.items.properties.observedGeneration;
  assert.equal(missingFields(CLIENT_CERTIFICATES, older), [
    'spec.subject.countries',
    'spec.privateKey',
    'status.conditions[].observedGeneration',
  ]);
});

test('a name that every object inherits is no field', () => {
  const inherited: Fields = Object.create({ properties: clientCertificateSchema.properties });
  assert.equal(missingFields(CLIENT_CERTIFICATES, { properties: Object.create(inherited.properties ?? null) }), [
    'spec',
    'status',
  ]);
});

test.run();
