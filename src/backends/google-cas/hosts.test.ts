import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hostsOf } from './hosts.ts';

const hosts = (endpoint: string | undefined, clusterWide = false, loopback = false) =>
  hostsOf(endpoint === undefined ? {} : { endpoint }, { clusterWide, addresses: { loopback } });

test("Google's hosts by default, and those of the same private endpoint", () => {
  assert.is(hosts(undefined).sts, 'https://sts.googleapis.com');
  assert.equal(hosts('https://privateca-certwheel.p.googleapis.com/'), {
    privateca: 'https://privateca-certwheel.p.googleapis.com',
    sts: 'https://sts-certwheel.p.googleapis.com',
    iamcredentials: 'https://iamcredentials-certwheel.p.googleapis.com',
    areOfGoogle: true,
  });
  assert.is(hosts('https://privateca.europe-west3.rep.googleapis.com').sts, 'https://sts.googleapis.com');
});

test('the author of a namespaced authority can send a token to no host but those of Google', () => {
  for (const endpoint of [
    'https://evil.example',
    'https://googleapis.com.evil.example',
    'https://evilgoogleapis.com',
    'https://privateca.googleapis.com@evil.example',
    'https://10.0.0.1',
    'https://127.0.0.1:8443',
    'https://localhost',
  ])
    assert.throws(() => hosts(endpoint), /only a ClusterCertificateAuthority may name such a host/);
  assert.is(hosts('https://gateway.example', true).sts, 'https://gateway.example');
});

test('an address with a path is refused, with the address that is meant', () => {
  assert.throws(
    () => hosts('https://privateca.googleapis.com/v1'),
    /has a path; write the address alone: https:\/\/privateca\.googleapis\.com$/,
  );
});

test('this host is for tests, where operators allow it', () => {
  assert.is(hosts('https://127.0.0.1:8443', false, true).areOfGoogle, false);
  assert.throws(() => hosts('https://10.0.0.1', false, true), /such a host/);
  assert.throws(() => hosts('https://127.0.0.1.evil.example', false, true), /such a host/);
});

test.run();
