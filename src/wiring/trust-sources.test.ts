/** The sources of one authority, whose ConfigMaps the test holds. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../test/pki/make.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { SILENT } from '../../test/unit/own-authority.ts';
import { type CertificateAuthority, parseCertificateAuthority } from '../api/certificate-authority.ts';
import type { RawObject } from '../api/parse.ts';
import type { Services } from './services.ts';
import { TrustSources } from './trust-sources.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const { certificate } = await root({
  notBefore: new Date('2026-01-01T00:00:00Z'),
  notAfter: new Date('2027-01-01T00:00:00Z'),
});

function authority(configMap: string, generation: number): CertificateAuthority {
  return parseCertificateAuthority('ClusterCertificateAuthority', {
    metadata: { name: 'ca', uid: 'uid', generation, resourceVersion: `${generation}` },
    spec: {
      selfManaged: { commonName: 'CA' },
      trust: {
        targets: [{ name: 'servers', configMap: { name: 'client-ca' }, namespaces: { names: ['shop'] } }],
        sources: [{ name: 'partner', configMap: { name: configMap, key: 'ca.crt' } }],
      },
    },
  }) as CertificateAuthority;
}

class Place {
  readonly configMaps = new Map<string, RawObject>();
  /** Resolves the first read of each reference. */
  held: (() => void)[] = [];
  holds = false;
  live = 0;
  readonly sources = new TrustSources(this.#services as unknown as Services, () => {});

  put(name: string, pem: string | undefined): void {
    if (pem === undefined) this.configMaps.delete(name);
    else this.configMaps.set(name, { data: { 'ca.crt': pem } });
  }

  async read(resource: CertificateAuthority): Promise<number | undefined> {
    const [found] = await this.sources.read(resource);
    return found?.certificates?.length;
  }

  get #services() {
    return {
      clock: new FakeClock(NOW),
      log: SILENT,
      config: { controllerNamespace: 'certwheel' },
      references: { acquire: (_kind: unknown, _namespace: string, name: string) => this.#reference(name) },
    };
  }

  #reference(name: string) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const reference = { known: !this.holds, problem: undefined, isLeftOut: false, synced: promise };
    this.live++;
    let isReleased = false;
    const last = this.configMaps.get(name);
    this.held.push(() => {
      reference.known = true;
      resolve();
    });
    return Object.assign(reference, {
      // The watch has ended with the reference.
      get: () => (isReleased ? last : this.configMaps.get(name)),
      release: () => {
        if (!isReleased) this.live--;
        isReleased = true;
      },
    });
  }
}

test('what a source said before counts as long as the spec names it, and no longer', async () => {
  const place = new Place();
  place.put('a', certificate.pem);
  place.put('b', certificate.pem);
  assert.is(await place.read(authority('a', 1)), 1);
  place.put('a', undefined);
  assert.is(await place.read(authority('a', 1)), 1, 'a ConfigMap that is gone');
  assert.is(await place.read(authority('b', 2)), 1);
  assert.is(await place.read(authority('a', 3)), undefined);
});

test('a read after the authority was forgotten answers what its own watch has brought', async () => {
  const place = new Place();
  place.holds = true;
  place.put('a', certificate.pem);
  const reads = [place.read(authority('a', 1)), place.read(authority('a', 1))];
  place.sources.forget('ClusterCertificateAuthority/ca');
  place.put('a', `${certificate.pem}${(await root()).certificate.pem}`);
  place.holds = false;
  assert.is(await place.read(authority('a', 1)), 2);
  assert.is(place.live, 1);
  for (const end of place.held) end();
  await Promise.allSettled(reads);
  assert.is(place.live, 1);
});

test.run();
