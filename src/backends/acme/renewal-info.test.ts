/** The vector of RFC 9773 section 4.1, and windows that a hostile server may suggest. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { certId, suggestedMoment } from './renewal-info.ts';

test('a certificate is called what RFC 9773 calls it', () => {
  const authorityKeyId = '69885b6b87464041e1b37b847ba0ae2cde01c8d4';
  assert.is(certId({ authorityKeyId, serialNumber: '87654321' }), 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE');
  assert.is(certId({ authorityKeyId, serialNumber: '07654321' }), 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.B2VDIQ');
  assert.is(certId({ authorityKeyId: undefined, serialNumber: '01' }), undefined);
});

test('a moment of the window is chosen, and a window that is none is passed over', () => {
  const of = (start: unknown, end: unknown, random = 0.5) =>
    suggestedMoment({ suggestedWindow: { start, end } }, random);
  const [start, end] = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'];
  assert.equal(of(start, end), new Date('2026-01-01T12:00:00Z'));
  assert.equal(of(start, end, 0), new Date(start));
  for (const [first, last] of [
    [end, start],
    [start, start],
    ['', ''],
    [{}, []],
    [undefined, end],
    [start, 'later'],
  ])
    assert.is(of(first, last), undefined);
  for (const body of [undefined, null, 1, [], {}, { suggestedWindow: 'now' }])
    assert.is(suggestedMoment(body, 0), undefined);
});

test.run();
