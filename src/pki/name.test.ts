import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ia5String, oid, printableString, sequence, set, tlv, utf8String } from './asn1/write.ts';
import { decodeName, encodeName, type Subject, sameSubjectField, subjectProblem } from './name.ts';

const FULL: Subject = {
  countries: ['DE'],
  provinces: ['Bayern'],
  localities: ['München'],
  streetAddresses: ['Straße 1'],
  postalCodes: ['80331'],
  organizations: ['Ä, B & Co', 'second'],
  organizationalUnits: ['日本'],
  serialNumber: '12-A',
  commonName: 'client 🔑',
};

const attribute = (type: string, value: Buffer) => set(sequence(oid(type), value));

test('attributes are written from the country down to the common name, each in an RDN of its own', () => {
  const hex = encodeName({ commonName: 'a', countries: ['DE'], organizations: ['o'] }).toString('hex');
  assert.is(
    hex,
    '30253 10b3009060355040613024445 310a300806035504 0a0c016f 310a3008060355040 30c0161'.replaceAll(' ', ''),
  );
});

test('a whole subject survives, in the conventional order', () => {
  const { subject, foreign, text } = decodeName(encodeName(FULL));
  assert.equal(subject, FULL);
  assert.equal(foreign, []);
  assert.is(
    text,
    'C=DE, ST=Bayern, L=München, STREET=Straße 1, postalCode=80331, O=Ä\\, B & Co, O=second, OU=日本, serialNumber=12-A, CN=client 🔑',
  );
});

test('an empty subject is an empty sequence', () => {
  assert.is(encodeName({}).toString('hex'), '3000');
  assert.equal(decodeName(Buffer.from('3000', 'hex')), { subject: {}, foreign: [], text: '' });
});

test('any text stays one literal value, whatever it looks like', () => {
  const value = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
  const values = fc.array(value, { minLength: 1, maxLength: 3 });
  const subjects = fc.record(
    { commonName: value, organizations: values, organizationalUnits: values, localities: values },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(fc.property(subjects, (subject) => assert.equal(decodeName(encodeName(subject)).subject, subject)));
});

test('what looks like more attributes makes none', () => {
  for (const commonName of [
    'a,O=system:masters',
    'a+O=system:masters',
    'a\nO=system:masters',
    'a\0',
    '/O=system:masters',
    'a\\2cO=x',
    '#0401',
  ]) {
    const { subject, foreign } = decodeName(encodeName({ commonName }));
    assert.equal({ subject, foreign }, { subject: { commonName }, foreign: [] });
  }
});

test('the text for people escapes what could mislead them', () => {
  assert.is(decodeName(encodeName({ commonName: 'a,O=b\n\u202ec' })).text, 'CN=a\\,O\\=b\\u{a}\\u{202e}c');
});

test('what a certificate cannot carry is refused with the name of the field', () => {
  const cases: [Subject, RegExp][] = [
    [{ commonName: '' }, /commonName holds an empty value/],
    [{ organizations: ['a', ''] }, /organizations holds an empty value/],
    [{ commonName: 'a'.repeat(65) }, /commonName .* 65 characters; at most 64/],
    [{ organizations: ['a'.repeat(65)] }, /organizations .* at most 64/],
    [{ localities: ['a'.repeat(129)] }, /localities .* at most 128/],
    [{ postalCodes: ['1'.repeat(41)] }, /postalCodes .* at most 40/],
    [{ countries: ['Germany'] }, /countries .* at most 2/],
    [{ countries: ['D1'] }, /two-letter/],
    [{ serialNumber: 'a@b' }, /serialNumber .* PrintableString/],
    [{ commonName: '\ud800' }, /surrogate/],
  ];
  for (const [subject, message] of cases) {
    assert.match(subjectProblem(subject) ?? '', message);
    assert.throws(() => encodeName(subject), message);
  }
  assert.is(subjectProblem({ commonName: '🔑'.repeat(64) }), undefined);
});

test('what Subject has no place for is listed as foreign', () => {
  const name = sequence(
    attribute('0.9.2342.19200300.100.1.25', ia5String('example')),
    attribute('2.5.4.3', utf8String('first')),
    attribute('2.5.4.3', utf8String('second')),
    attribute('1.2.3', tlv(0x04, Buffer.of(1))),
  );
  const { subject, foreign, text } = decodeName(name);
  assert.equal(subject, { commonName: 'first' });
  assert.equal(foreign, ['0.9.2342.19200300.100.1.25=example', 'CN=second', '1.2.3=#040101']);
  assert.is(text, '0.9.2342.19200300.100.1.25=example, CN=first, CN=second, 1.2.3=#040101');
});

test('attributes that share an RDN are all read', () => {
  const rdn = set(sequence(oid('2.5.4.3'), utf8String('a')), sequence(oid('2.5.4.10'), printableString('b')));
  assert.equal(decodeName(sequence(rdn)).subject, { commonName: 'a', organizations: ['b'] });
});

test('malformed names are refused', () => {
  for (const hex of [
    '',
    '31',
    '3100',
    '30020500',
    '3002310130',
    '300631043002 0500'.replace(' ', ''),
    '3009310730050603550403',
  ]) {
    assert.throws(() => decodeName(Buffer.from(hex, 'hex')));
  }
});

test('the order of values does not count, their case does', () => {
  const same = (a: string[], b: string[]) =>
    sameSubjectField('organizations', { organizations: a }, { organizations: b });
  assert.ok(same(['a', 'b'], ['b', 'a']));
  assert.not.ok(same(['a'], ['A']));
  assert.not.ok(same(['a', 'a'], ['a']));
  assert.ok(sameSubjectField('organizations', {}, { organizations: [] }));
});

test.run();
