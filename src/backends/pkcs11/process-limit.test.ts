import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ProcessLimit } from './process-limit.ts';

test('a namespace has four processes, and another one when one of them is over, however often that is said', () => {
  const limit = new ProcessLimit();
  const ends = Array.from({ length: 4 }, () => limit.count('shop', 100));
  assert.throws(() => limit.count('shop', 100), /namespace shop has 4 authorities with keys in an HSM already/);
  limit.count('other', 100)();
  ends[0]?.();
  ends[0]?.();
  const again = limit.count('shop', 100);
  assert.throws(() => limit.count('shop', 100), /already/);
  for (const end of [...ends, again]) end();
  for (const end of Array.from({ length: 4 }, () => limit.count('shop', 100))) end();
});

test('all namespaces together leave a quarter of the processes to ClusterCertificateAuthorities', () => {
  const limit = new ProcessLimit();
  const ends = Array.from({ length: 6 }, (_, index) => limit.count(`team-${index}`, 8));
  assert.throws(
    () => limit.count('team-6', 8),
    /has 6 authorities .* allows 8, of which CertificateAuthorities have 6; .* raise controller\.pkcs11\.processes/,
  );
  for (let count = 0; count < 2; count++) limit.count(undefined, 8);
  assert.throws(() => limit.count(undefined, 8), /has 8 authorities .* --pkcs11-processes allows 8; delete one/);
  ends[0]?.();
  limit.count(undefined, 8);
  assert.throws(() => limit.count('team-6', 8), /has 8 authorities/);
});

test('a single process may be that of a namespace', () => {
  const limit = new ProcessLimit();
  limit.count('shop', 1);
  assert.throws(() => limit.count('other', 1), /--pkcs11-processes allows 1; delete one/);
});

test.run();
