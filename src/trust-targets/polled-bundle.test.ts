import type { ServerResponse } from 'node:http';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NOW, root } from '../../test/pki/make.ts';
import { issuer, json, serving } from '../../test/unit/authority-server.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { spiffeDocument, spiffeKey } from '../../test/unit/spiffe-document.ts';
import type { SpiffeBundleSource } from '../api/generated/types.ts';
import { ApiError } from '../errors.ts';
import { BundleEndpoint } from './bundle-endpoint.ts';
import { bootstrapOf, type KeptBundle } from './kept-bundles.ts';
import { PolledBundle } from './polled-bundle.ts';

const [first, second] = [await root({ commonName: 'First' }), await root({ commonName: 'Second' })];
const nothing = () => {};
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

interface Scene {
  /** What the endpoint answers from now on. */
  answer(with_: unknown, status?: number): void;
  readonly clock: FakeClock;
  readonly kept: KeptBundle[];
  /** How many CA certificates it had before and after each change. */
  readonly changes: readonly [before: number, after: number][];
  /** Whether what is read can be kept from now on. */
  canKeep(can: boolean): void;
  /** A controller that starts, with what was kept by the one before. */
  start(load?: () => Promise<KeptBundle | undefined>, source?: Partial<SpiffeBundleSource>): PolledBundle;
  /** Reads until the read in the background has ended. */
  read(bundle: PolledBundle): ReturnType<PolledBundle['read']>;
  readonly asked: () => number;
}

/** A real endpoint, and sources that ask it by a clock that stands still. */
async function scene(use: (scene: Scene) => Promise<void>): Promise<void> {
  let [body, status]: [unknown, number] = [spiffeDocument([spiffeKey(first)]), 200];
  const handler = (_request: unknown, response: ServerResponse) => json(response, status, body);
  await serving(handler, async ({ url, seen }) => {
    const clock = new FakeClock(NOW);
    const kept: KeptBundle[] = [];
    let ended: (() => void) | undefined;
    let isOpen = true;
    const changes: [before: number, after: number][] = [];
    await use({
      changes,
      canKeep: (can) => {
        isOpen = can;
      },
      clock,
      kept,
      asked: () => seen.length,
      answer: (next, code = 200) => {
        [body, status] = [next, code];
      },
      start: (load = async () => kept.at(-1), more = {}) => {
        const caBundle = Buffer.from(issuer.certificatePem).toString('base64');
        const source = {
          endpoint: url,
          trustDomain: 'partner.example',
          profile: 'https_web',
          caBundle,
          ...more,
        } as const;
        const place = { clock, log, clusterWide: true, name: 'ca', namespace: '', rules: { loopback: true } };
        return new PolledBundle('partner', source, {
          clock,
          load,
          admit: nothing,
          endpoint: new BundleEndpoint(source, place),
          keep: async (each) => isOpen && kept.push(each) > 0,
          changed: (before, after) => void changes.push([before.length, after.length]),
          onRead: () => ended?.(),
          signal: new AbortController().signal,
        });
      },
      read: async (bundle) => {
        const done = new Promise<void>((resolve) => {
          ended = resolve;
        });
        const found = await bundle.read();
        if (found.nextAt !== undefined) return found;
        await done;
        return bundle.read();
      },
    });
  });
}

const names = ({ certificates }: Awaited<ReturnType<PolledBundle['read']>>) =>
  certificates?.map(({ subject }) => subject.commonName);
const secondsUntil = ({ nextAt }: Awaited<ReturnType<PolledBundle['read']>>) =>
  ((nextAt?.getTime() ?? 0) - NOW.getTime()) / 1_000;

test('the refresh hint says when to ask again, within 30 seconds and an hour; interval says it against the hint', () =>
  scene(async ({ answer, start }) => {
    for (const [hint, interval, seconds] of [
      [60, undefined, 60],
      [1, undefined, 30],
      [1e9, undefined, 3_600],
      [undefined, undefined, 300],
      [60, '10s', 10],
    ] as const) {
      answer(spiffeDocument([spiffeKey(first)], { spiffe_refresh_hint: hint }));
      const bundle = start(undefined, interval === undefined ? {} : { interval });
      assert.is(secondsUntil(await bundle.read()), seconds, `${hint} ${interval}`);
    }
  }));

test('a bundle that rotates is kept before it counts, and nothing is asked or kept before it is due', () =>
  scene(async ({ answer, asked, changes, clock, kept, read, start }) => {
    const bundle = start();
    assert.equal(names(await read(bundle)), ['First']);
    answer(spiffeDocument([spiffeKey(first), spiffeKey(second)]));
    assert.equal(names(await read(bundle)), ['First']);
    assert.is(asked(), 1);
    await clock.advance(300_000);
    assert.equal(names(await read(bundle)), ['First', 'Second']);
    assert.equal(
      kept.map(({ certificates }) => certificates.length),
      [1, 2],
    );
    await clock.advance(300_000);
    await read(bundle);
    assert.equal([asked(), kept.length], [3, 2], 'what has not changed is not kept again');
    assert.equal(changes, [[1, 2]]);
  }));

test('while the endpoint fails or serves nothing, its last bundle counts, with the reason, and it is asked less and less often', () =>
  scene(async ({ answer, clock, kept, read, start }) => {
    const bundle = start();
    await read(bundle);
    await clock.advance(300_000);
    const waits: number[] = [];
    for (const [body, status, reason] of [
      [{}, 500, 'TrustEndpointUnreachable'],
      [spiffeDocument([]), 200, 'TrustBundleRefused'],
      ['no bundle', 200, 'TrustBundleRefused'],
    ] as const) {
      answer(body, status);
      const found = await read(bundle);
      assert.equal([names(found), found.trouble?.code], [['First'], reason]);
      const waitMs = (found.nextAt?.getTime() ?? 0) - clock.now().getTime();
      waits.push(waitMs);
      await clock.advance(waitMs);
    }
    assert.equal(waits, [5_000, 10_000, 20_000]);
    assert.is(kept.length, 1);
    answer(spiffeDocument([spiffeKey(second)]));
    const found = await read(bundle);
    assert.equal([names(found), found.trouble], [['Second'], undefined]);
  }));

test('what could not be kept is kept by a later read, so that a restart brings no former bundle back', () =>
  scene(async ({ answer, canKeep, clock, kept, read, start }) => {
    const bundle = start();
    await read(bundle);
    canKeep(false);
    answer(spiffeDocument([spiffeKey(second)]));
    await clock.advance(300_000);
    assert.equal(names(await read(bundle)), ['Second'], 'it is good all the same');
    canKeep(true);
    await clock.advance(300_000);
    await read(bundle);
    answer({}, 503);
    assert.equal(names(await read(start())), ['Second']);
    assert.is(kept.length, 2);
  }));

test('after a restart while the endpoint is away, what was kept counts', () =>
  scene(async ({ answer, read, start }) => {
    await read(start());
    answer({}, 503);
    const found = await read(start());
    assert.equal([names(found), found.trouble?.code], [['First'], 'TrustEndpointUnreachable']);
  }));

test('a source of which nothing is known is unknown, and not empty', () =>
  scene(async ({ answer, asked, read, start }) => {
    answer({}, 503);
    assert.is((await read(start())).certificates, undefined);
    const before = asked();
    const failing = await read(start(() => Promise.reject(new ApiError(503, 'x', 'the API server is away'))));
    assert.equal([failing.certificates, failing.trouble?.code], [undefined, 'ApiServerUnavailable']);
    assert.is(asked(), before, 'what was kept comes first: it verifies the server');
  }));

test('only with the bundle of the spec that they were read under do kept certificates verify a server', async () => {
  const kept: KeptBundle[] = [];
  const known: (readonly unknown[] | undefined)[] = [];
  const source = { endpoint: 'https://a', trustDomain: 'partner.example', profile: 'https_spiffe' } as const;
  const ask = async (bundle: string) => {
    const polled = new PolledBundle(
      'partner',
      { ...source, bundle },
      {
        clock: new FakeClock(NOW),
        load: async () => ({ certificates: [first.certificate], bootstrap: bootstrapOf({ ...source, bundle: 'old' }) }),
        endpoint: {
          read: async (anchors) => {
            known.push(anchors);
            return { certificates: [second.certificate], refused: [], refreshHintMs: undefined };
          },
        },
        admit: nothing,
        keep: async (each) => kept.push(each) > 0,
        changed: nothing,
        onRead: nothing,
        signal: new AbortController().signal,
      },
    );
    return polled.read();
  };
  await ask('old');
  await ask('new');
  assert.equal(known, [[first.certificate], undefined]);
  assert.is(kept.at(-1)?.bootstrap, bootstrapOf({ ...source, bundle: 'new' }));
});

test.run();
