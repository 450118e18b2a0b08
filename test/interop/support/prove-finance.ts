/** The tests of a server that lets only clients with the organizational unit finance read /transactions. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Subject } from '../../../src/pki/name.ts';
import { lazily } from '../../e2e/support/lazily.ts';
import { authority, SERVER } from './authority.ts';
import type { ServerProgram } from './reader.ts';
import { request } from './request.ts';
import { startStage } from './stage.ts';

const URI = 'spiffe://example.com/ns/shop/sa/orders';

/** Each with whether it may read /transactions. */
const CLIENTS: readonly (readonly [string, Subject, boolean])[] = [
  ['of finance', { commonName: 'ledger', organizationalUnits: ['finance'] }, true],
  [
    'of finance, with an organization',
    { commonName: 'ledger', organizations: ['Shop'], organizationalUnits: ['finance'] },
    true,
  ],
  ['of two units', { commonName: 'audit', organizationalUnits: ['audit', 'finance'] }, true],
  ['of finance, with a comma in the common name', { commonName: 'a,b', organizationalUnits: ['finance'] }, true],
  ['of sales', { commonName: 'orders', organizationalUnits: ['sales'] }, false],
  ['without a unit', { commonName: 'orders' }, false],
  ['of a unit that begins alike', { commonName: 'orders', organizationalUnits: ['finance-interns'] }, false],
  ['of a unit that ends alike', { commonName: 'orders', organizationalUnits: ['not-finance'] }, false],
  ['of the unit in other letters', { commonName: 'orders', organizationalUnits: ['Finance'] }, false],
  ['whose common name holds the unit', { commonName: 'OU=finance' }, false],
  ['whose common name holds the unit after a comma', { commonName: 'orders,OU=finance' }, false],
  ['whose common name holds it after a backslash', { commonName: 'orders\\,OU=finance,x' }, false],
  ['whose common name holds it after a plus', { commonName: 'orders+OU=finance' }, false],
  ['whose organization is finance', { commonName: 'orders', organizations: ['finance'] }, false],
];

/** Other spellings of a path below /transactions: an upstream may resolve them, so a client of sales gets none of them. */
const SPELLINGS = [
  '/transactions/42',
  '/transactions?a=b',
  '//transactions',
  '/./transactions',
  '/x/../transactions',
  '/%74ransactions',
  '/transactions%2f42',
  '/x%2f..%2ftransactions',
  '/transactions;a',
];

export function proveFinance(name: string, start: () => Promise<ServerProgram>): void {
  const stage = lazily(async () => {
    const ca = await authority(2);
    const { server, own } = await startStage(await start(), await ca.issue(SERVER));
    const ask = async (subject: Subject, path: string, names = {}) =>
      request({ port: server.port, ca: own.ca, client: await ca.issue({ subject, names }), path });
    return { ask };
  });

  for (const [which, subject, isAllowed] of CLIENTS) {
    test(`${name}: a client ${which} ${isAllowed ? 'reads' : 'is denied'} /transactions`, async () => {
      const { ask } = await stage.get();
      assert.is((await ask(subject, '/')).status, 200, 'what all may read');
      for (const names of [{}, { uris: [URI] }]) {
        const { status, body } = await ask(subject, '/transactions', names);
        assert.equal(
          [status, body.includes('transactions')],
          isAllowed ? [200, true] : [403, false],
          JSON.stringify(names),
        );
      }
    });
  }

  test(`${name}: another spelling of the path does not get around it`, async () => {
    const { ask } = await stage.get();
    for (const path of SPELLINGS) {
      const { status } = await ask({ commonName: 'orders', organizationalUnits: ['sales'] }, path);
      // A redirect leads to the spelling that is denied.
      assert.ok([307, 403].includes(status), `${path}: ${status}`);
    }
    assert.match(
      (await ask({ commonName: 'ledger', organizationalUnits: ['finance'] }, '/transactions/42')).body,
      /^transactions/,
    );
  });
}
