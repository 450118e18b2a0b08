import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Mounted } from './mounted.ts';
import { type Look, widthOf } from './paint.ts';
import { Story } from './story.ts';
import { frame } from './table.ts';

const LOOK: Look = { columns: 80, rows: 24, colours: false, unicode: false };
const HINTS = {
  command: [
    '/root/.cache/certwheel/kubectl',
    '--kubeconfig',
    '/tmp/certwheel-cluster-1-abcdef/admin.kubeconfig',
    'get',
    'ccert',
    '-n',
    'certwheel-demo',
    '-w',
  ],
  logPath: '/tmp/certwheel-cluster-1-abcdef/logs/certwheel.log',
};

test('no line is wider than the terminal, with every look and the longest words', () => {
  const story = running();
  story.failedToShakeHands('client-b', new Error('x'.repeat(200)));
  story.learnReason(SECOND, 'AuthorityChanged');
  for (const columns of [72, 80, 120, 200]) {
    for (const unicode of [true, false]) {
      for (const colours of [true, false]) {
        for (const line of frame(story, HINTS, { columns, rows: 40, unicode, colours }))
          assert.ok(widthOf(line) < columns, `${widthOf(line)} of ${columns}: ${line}`);
      }
    }
  }
});

test('a row shows how far the life has drained towards the renewal, and the reserve behind it', () => {
  const row = frame(running(), HINTS, LOOK).find((line) => line.includes('client '));
  assert.match(row ?? '', /^ {2}client +bbbbbbbb +1 {2}-{7}={3}\.{3} +4[45] s +1[45] s {2}Due$/);
});

test('the news stand below, the latest first', () => {
  const [latest, first] = frame(running(), HINTS, LOOK).slice(-2);
  assert.match(latest ?? '', /client +rotated aaaaaaaa -> bbbbbbbb, new key, 30 s before expiry$/);
  assert.match(first ?? '', /client +issued +aaaaaaaa, good for 60 s$/);
});

test('a certificate that hasn’t come yet has a row too', () => {
  assert.ok(frame(new Story(['client']), HINTS, LOOK).includes('  client    -'));
});

test('where there is room the command stands on one line, else it is broken as a shell takes it', () => {
  const wide = frame(running(), HINTS, { ...LOOK, columns: 200 });
  assert.ok(wide.includes(`  ${HINTS.command.join(' ')}`));
  const text = frame(running(), HINTS, LOOK).join('\n');
  assert.match(text.replaceAll(/ \\\n +/g, ' '), HINTS.command.join(' '));
});

const FIRST = 'a'.repeat(32);
const SECOND = 'b'.repeat(32);

/** Rotated a quarter of a minute ago, half a minute after its first issue. */
function running(): Story {
  const now = Date.now();
  const story = new Story(['client']);
  story.mount('client', files(FIRST, now - 45_000));
  story.mount('client', files(SECOND, now - 15_000));
  story.certificate('client').renewal = { serial: SECOND, at: new Date(now + 15_000) };
  story.learnReason(SECOND, 'Due');
  return story;
}

function files(serial: string, arrivedAt: number): Mounted {
  return {
    ...{ cert: '', key: '', ca: '' },
    serial,
    publicKeyHash: serial,
    notAfter: new Date(arrivedAt + 60_000),
    arrivedAt: new Date(arrivedAt),
  };
}

test.run();
