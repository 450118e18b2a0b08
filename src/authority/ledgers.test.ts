import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, after, aSecret, DAY, HOUR, NOW } from '../../test/unit/builders.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { Told } from '../../test/unit/told.ts';
import { type CertificateAuthority, parseCertificateAuthority } from '../api/certificate-authority.ts';
import type { RawObject } from '../api/parse.ts';
import { nextLedger, readLedger } from '../certificate/secret/ledger.ts';
import { recordOfView } from '../certificate/secret/record.ts';
import { sealWith } from '../certificate/secret/seal.ts';
import type { SecretView } from '../certificate/secret/view.ts';
import { ApiError, RetryableError } from '../errors.ts';
import { LEDGER_SECRET, readLedgerSecret } from './ledger-secret.ts';
import { Ledgers } from './ledgers.ts';

const KEY = 'CertificateAuthority/team/ca';
const FALLBACK_KEY = 'CertificateAuthority/team/fallback';
const CLUSTER_KEY = 'ClusterCertificateAuthority/ca';
const BOOKS = randomBytes(32);
const seal = sealWith(() => BOOKS);
const metadata = { namespace: 'team', name: 'ca', uid: 'uid', resourceVersion: '1', generation: 1 };
const authority = parseCertificateAuthority('CertificateAuthority', {
  metadata,
  spec: { selfManaged: { commonName: 'ca' } },
}) as CertificateAuthority;
const ledger = (...serials: readonly string[]) =>
  nextLedger(
    '',
    serials.map((serialNumber) => ({ serialNumber, notAfter: after(DAY) })),
    NOW,
  );
const sealedFor = (name: string, serialNumber: string, text = '') =>
  nextLedger(text, [{ serialNumber, notAfter: after(DAY), issuerFingerprint: 'ab'.repeat(32), sealedFor: name }], NOW, {
    seal,
    namespace: 'team',
  });
const holding = (text: string, uid = 'secret') =>
  aSecret(aCertificate().build(), { uid, memory: { authority: 'CertificateAuthority/ca', ledger: text } });

/** One API server with at most one Secret, and what the ledgers wrote. */
class Place {
  readonly clock = new FakeClock(NOW);
  readonly told = new Told();
  stored: RawObject | undefined;
  secrets: SecretView[] = [];
  writes = 0;
  failure: Error | undefined;
  isLeader = true;
  readonly ledgers = new Ledgers({
    clock: this.clock,
    log: { debug: this.#line, info: this.#line, warn: this.#line, error: this.#line },
    ownership: {
      assert: () => {
        if (!this.isLeader) throw new RetryableError('Conflict', 'another replica leads');
      },
    },
    mayHaveIssued: (key, namespace, proof) =>
      ([KEY, FALLBACK_KEY].includes(key) && namespace === 'team') ||
      (key === CLUSTER_KEY && (proof === 'sealed' || proof().includes('ca 1'))),
    seal,
    namespaceOf: ({ namespace }) => namespace,
    secretsOf: () => new Map([['team', this.secrets]]),
    read: async () => this.stored,
    apply: async (manifest) => {
      if (this.failure !== undefined) throw this.failure;
      this.writes += 1;
      this.stored = { ...manifest, metadata: { ...manifest.metadata, uid: 'l', resourceVersion: String(this.writes) } };
    },
  });

  get #line() {
    return (message: string, fields = {}) => this.told.say(message, fields);
  }

  get serials(): string[] {
    const text = readLedgerSecret(this.stored ?? {}).get('team') ?? '';
    return readLedger(text).entries.map(({ serialNumber }) => serialNumber);
  }
}

test('a Secret that is gone leaves what is still valid to the ledger of its authority', async () => {
  const place = new Place();
  const [due] = place.ledgers.secretChanged(holding(ledger('0b', '0a')), undefined);
  assert.is(due?.authority, KEY);
  assert.ok(due !== undefined && due.at > NOW && due.at < after(HOUR));
  assert.is(await place.ledgers.write(authority), undefined);
  assert.equal(place.serials, ['0b', '0a']);
  await place.ledgers.write(authority);
  assert.is(place.writes, 1, 'nothing is written at rest');
});

test('a Secret that is gone leaves nothing where another Secret lists the same, until that one is gone as well', async () => {
  const place = new Place();
  const [original, copy] = [holding(ledger('0b'), 'original'), holding(ledger('0b', '0a'), 'copy')];
  place.secrets = [original];
  place.ledgers.secretChanged(copy, undefined);
  await place.ledgers.write(authority);
  assert.equal(place.serials, ['0a']);
  place.secrets = [];
  place.ledgers.secretChanged(original, undefined);
  await place.ledgers.write(authority);
  assert.equal(place.serials.sort(), ['0a', '0b']);
});

test('so does one of a ClientCertificate that was deleted before', async () => {
  const place = new Place();
  assert.is(place.ledgers.secretChanged(recordOfView(holding(ledger('0a'))), undefined)[0]?.authority, KEY);
  await place.ledgers.write(authority);
  assert.equal(place.serials, ['0a']);
});

test('so does one that was made anew, whose annotation was cut, or that lost its marks', async () => {
  for (const next of [holding('', 'another'), holding(ledger('0b')), { ...holding(ledger('0a')), owner: undefined }]) {
    const place = new Place();
    place.ledgers.secretChanged(holding(ledger('0b', '0a')), next);
    await place.ledgers.write(authority);
    assert.ok(place.serials.includes('0a'));
  }
});

test('a renewal, a Secret without a ledger and one that is no certificate leave nothing', async () => {
  const place = new Place();
  assert.equal(place.ledgers.secretChanged(holding(ledger('0a')), holding(ledger('0b', '0a'))), []);
  assert.equal(place.ledgers.secretChanged(undefined, holding(ledger('0a'))), []);
  assert.equal(place.ledgers.secretChanged(holding(''), undefined), []);
  assert.equal(place.ledgers.secretChanged({ ...holding(ledger('0a')), owner: undefined }, undefined), []);
  await place.ledgers.write(authority);
  assert.is(place.writes, 0);
});

test('Secrets that name authorities which there are not leave nothing in memory, also on a standby', async () => {
  const place = new Place();
  place.isLeader = false;
  for (let index = 0; index < 100; index++) {
    const memory = { authority: `CertificateAuthority/ca-${index}`, ledger: ledger('0a') };
    const secret = aSecret(aCertificate().build(), { uid: `secret-${index}`, memory });
    assert.equal(place.ledgers.secretChanged(secret, undefined), []);
  }
  // The control.
  assert.is(place.ledgers.secretChanged(holding(ledger('0a')), undefined)[0]?.authority, KEY);
});

test('what is sealed goes to the authority that issued it: the fallback, or the one that the Secret named before', async () => {
  const place = new Place();
  const text = sealedFor('CertificateAuthority/fallback', '0f', sealedFor('CertificateAuthority/ca', '0a'));
  const keysOf = (due: readonly { authority: string }[]) => due.map((each) => each.authority).sort();
  assert.equal(keysOf(place.ledgers.secretChanged(holding(text), undefined)), [KEY, FALLBACK_KEY]);
  await place.ledgers.write(authority);
  assert.equal(place.serials, ['0a']);
  const moved = aSecret(aCertificate().build(), {
    memory: { authority: 'CertificateAuthority/fallback', ledger: text },
  });
  assert.equal(keysOf(place.ledgers.secretChanged(holding(text), moved)), [KEY, FALLBACK_KEY]);
  assert.equal(place.ledgers.secretChanged(holding(text), holding(text, 'copy')), []);
});

test('a seal is proof enough where the Secret holds another certificate by now', () => {
  const place = new Place();
  const name = 'ClusterCertificateAuthority/ca';
  const holdingForeign = (text: string) =>
    aSecret(aCertificate().build(), {
      memory: { authority: name, ledger: text },
      certificate: { anchorFingerprints: ['made here'] },
    });
  assert.is(place.ledgers.secretChanged(holdingForeign(sealedFor(name, '0a')), undefined)[0]?.authority, CLUSTER_KEY);
  assert.equal(place.ledgers.secretChanged(holdingForeign(ledger('0a')), undefined), []);
});

test('certificates that have expired leave nothing', async () => {
  const place = new Place();
  await place.clock.advance(2 * DAY);
  assert.equal(place.ledgers.secretChanged(holding(ledger('0a')), undefined), []);
});

test('what is noted while the ledger is written goes into the next write', async () => {
  const place = new Place();
  place.ledgers.secretChanged(holding(ledger('0a')), undefined);
  const writing = place.ledgers.write(authority);
  place.ledgers.secretChanged(holding(ledger('0b'), 'other'), undefined);
  await writing;
  await place.ledgers.write(authority);
  assert.equal(place.serials.sort(), ['0a', '0b']);
});

test('a write that fails is tried again, and nothing is lost', async () => {
  const place = new Place();
  place.failure = new ApiError(409, 'Conflict', 'changed meanwhile');
  place.ledgers.secretChanged(holding(ledger('0a')), undefined);
  const at = await place.ledgers.write(authority);
  assert.ok(at !== undefined && at > NOW);
  assert.ok(place.told.includes('could not be written'));
  place.failure = undefined;
  await place.ledgers.write(authority);
  assert.equal(place.serials, ['0a']);
});

test('a replica that does not lead writes nothing', async () => {
  const place = new Place();
  place.isLeader = false;
  place.ledgers.secretChanged(holding(ledger('0a')), undefined);
  assert.ok(await place.ledgers.write(authority));
  assert.is(place.writes, 0);
});

test('a Secret of that name that is not a ledger is left alone, and the log says so', async () => {
  const place = new Place();
  place.stored = { ...LEDGER_SECRET.manifest(authority, 'team', new Map(), undefined) };
  place.stored = { ...place.stored, metadata: { ...place.stored.metadata, labels: {} } };
  place.ledgers.secretChanged(holding(ledger('0a')), undefined);
  await place.ledgers.write(authority);
  assert.is(place.writes, 0);
  assert.ok(place.told.includes("isn't Certwheel's"));
});

test('a cluster authority keeps what its CA has signed, and nothing that a tenant has made look like that', async () => {
  const place = new Place();
  const cluster = parseCertificateAuthority('ClusterCertificateAuthority', {
    metadata: { ...metadata, namespace: '' },
    spec: { selfManaged: { commonName: 'ca' }, allowedNamespaces: { names: ['elsewhere'] } },
  }) as CertificateAuthority;
  const memory = { authority: 'ClusterCertificateAuthority/ca', ledger: ledger('0a') };
  const signedBy = (anchor: string) =>
    aSecret(aCertificate().build(), { memory, certificate: { anchorFingerprints: [anchor] } });
  assert.equal(place.ledgers.secretChanged(signedBy('made here'), undefined), []);
  assert.is(place.ledgers.secretChanged(signedBy('ca 1'), undefined)[0]?.authority, CLUSTER_KEY);
  await place.ledgers.write(cluster);
  assert.equal(place.serials, ['0a']);
});

test.run();
