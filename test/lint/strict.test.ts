/**
 * The default context of Python 3.13, which sets VERIFY_X509_STRICT, takes every chain of Certwheel in a handshake. Where
 * there is no such Python, another one gets the flag by hand.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lazily } from '../e2e/support/lazily.ts';
import { makeCa } from '../e2e/support/openssl.ts';
import { describe } from '../pki/make.ts';
import { fromSecret, KEYS, ownRoot, secretAuthorities } from './grid/authorities.ts';
import { ownRoots } from './grid/grid.ts';
import { IDENTITIES } from './grid/identities.ts';
import { issueMaterial, issueServer } from './handshakes/material.ts';
import { startStrictPeer } from './handshakes/strict-peer.ts';

// The certificates have to be valid at this moment: Python can't be told another one.
const now = new Date();
const peer = lazily(startStrictPeer);
test.after(peer.stop);

test('the Python at hand', async () => {
  const { python, openssl, strictByDefault } = await peer.get();
  const how = strictByDefault
    ? 'strict by default'
    : 'VERIFY_X509_STRICT set by hand: no Python 3.13 or newer is on the PATH or in pyenv; Debian 12 has 3.11';
  console.log(`# Python ${python} with ${openssl}, ${how}`);
  assert.is(strictByDefault, Number(python.split('.')[1]) >= 13);
});

test('it accepts clients with each kind of key below each kind of CA, and our server certificates', async () => {
  const { accepts, trusts } = await peer.get();
  let handshakes = 0;
  for (const authority of [...(await ownRoots(now)), ...(await secretAuthorities(now))]) {
    const server = await issueServer(authority);
    for (const privateKey of KEYS) {
      const client = await issueMaterial(authority, { commonName: 'client', privateKey });
      await accepts(client, server).catch((error: Error) =>
        assert.unreachable(`${describe(privateKey)} leaf below ${authority.name}: ${error.message}`),
      );
      handshakes += 1;
    }
    await trusts(server, await issueMaterial(authority, { commonName: 'client' }));
    handshakes += 1;
  }
  console.log(`# ${handshakes} handshakes`);
});

test('it accepts clients of each identity', async () => {
  const { accepts } = await peer.get();
  const authority = await ownRoot('our root', now);
  const server = await issueServer(authority);
  for (const { name, spec } of IDENTITIES) {
    await accepts(await issueMaterial(authority, spec), server).catch((error: Error) =>
      assert.unreachable(`${name}: ${error.message}`),
    );
  }
});

test('it refuses a client below a CA without key usage', async () => {
  const { accepts } = await peer.get();
  const extensions = ['basicConstraints = critical, CA:true', 'subjectKeyIdentifier = hash'];
  const lax = await fromSecret('a CA without key usage', now, await makeCa('No Usage', { extensions }));
  const server = await issueServer(await ownRoot('our root', now));
  const client = await issueMaterial(lax, { commonName: 'client' });
  const error = await accepts({ ...client, ca: server.ca }, { ...server, ca: client.ca }).then(
    () => undefined,
    (reason: Error) => reason,
  );
  assert.match(error?.message ?? 'accepted', /CA cert does not include key usage extension/);
});

test.run();
