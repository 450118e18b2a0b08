import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES } from '../api/names.ts';
import { type Clock, systemClock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { restartOf, WatchBackoff, withDefaults } from './watch-backoff.ts';

function newBackoff(random = 1) {
  const said: string[] = [];
  const say = (level: string) => (message: string) => said.push(`${level}: ${message}`);
  const logger: Logger = { debug: () => {}, info: say('info'), warn: say('warn'), error: say('error') };
  let now = 0;
  const pass = (ms: number) => {
    now += ms;
  };
  const clock: Clock = { ...systemClock, monotonicMs: () => now, random: () => random };
  const backoff = new WatchBackoff({ clock, logger }, withDefaults(), {
    resource: CLIENT_CERTIFICATES,
    namespace: undefined,
  });
  return { backoff, said, pass };
}

test('the cap of the wait doubles from 0.8 s to 30 s, and starts anew after a stream that lasted', () => {
  const { backoff } = newBackoff();
  assert.equal(
    Array.from({ length: 8 }, () => backoff.next()),
    [800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000],
  );
  backoff.streamLasted(4_999);
  assert.is(backoff.next(), 30_000);
  backoff.streamLasted(5_000);
  assert.is(backoff.next(), 800);
});

test('the luckiest draw still waits a little, and Retry-After comes on top', () => {
  const { backoff } = newBackoff(0);
  assert.is(backoff.next(), 50);
  assert.is(
    backoff.failed('throttled', new ApiError(429, 'TooManyRequests', 'slow down', { retryAfterMs: 5_000 })),
    5_050,
  );
});

test('a failure is logged once for each reason, and its end once', () => {
  const { backoff, said, pass } = newBackoff();
  const forbidden = new ApiError(403, 'Forbidden', 'no');
  backoff.failed('forbidden', forbidden);
  backoff.failed('forbidden', forbidden);
  pass(300_000);
  backoff.failed('forbidden', forbidden);
  backoff.succeeded();
  backoff.succeeded();
  const remedy =
    'error: may not list and watch clientcertificates; grant get, list and watch on clientcertificates.certwheel.io by a ClusterRole';
  assert.equal(said, [remedy, remedy, 'info: the watch is up to date again']);
});

test('each way to fail has a name of its own', () => {
  const named = (status: number, reason = '') => restartOf(new ApiError(status, reason, ''));
  assert.equal(
    [named(0, 'Idle'), named(0, 'ConnectionFailed'), named(0, 'InvalidAnswer')],
    ['idle', 'dropped', 'broken'],
  );
  assert.equal(
    [401, 403, 404, 410, 429, 503].map((status) => named(status)),
    ['unauthorized', 'forbidden', 'notFound', 'expired', 'throttled', 'serverError'],
  );
  assert.is(restartOf(new TypeError('a bug')), 'broken');
});

test.run();
