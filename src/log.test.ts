import { generateKeyPairSync } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createLogger, LOG_LEVELS, type LogFormat, type Logger, type LogLevel } from './log.ts';

/** The lines that `body` writes to standard error. */
function linesOf(format: LogFormat, body: (log: Logger) => void, reach: LogLevel = 'debug'): string[] {
  const write = process.stderr.write;
  let output = '';
  process.stderr.write = ((chunk: string) => {
    output += chunk;
    return true;
  }) as never;
  try {
    body(createLogger(reach, format));
  } finally {
    process.stderr.write = write;
  }
  return output.split('\n').slice(0, -1);
}

/** The one line, read back. */
function entryOf(body: (log: Logger) => void): Record<string, unknown> {
  const lines = linesOf('json', body);
  assert.is(lines.length, 1);
  return JSON.parse(lines[0] ?? '');
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const { privateKey: rsaKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEMS: Record<string, string> = {
  'PKCS#8': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  'SEC 1': privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
  'PKCS#1': rsaKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
  encrypted: privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }).toString(),
};

test('an entry has a moment, a level, a message and its fields', () => {
  const { timestamp, ...entry } = entryOf((log) => log.info('hello', { name: 'a', count: 1, list: [1] }));
  assert.equal(entry, { level: 'info', message: 'hello', name: 'a', count: 1, list: [1] });
  assert.match(String(timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

for (const reach of LOG_LEVELS) {
  test(`with ${reach} nothing less important is written`, () => {
    const all = (log: Logger) => {
      for (const level of LOG_LEVELS) log[level]('x');
    };
    const levels = linesOf('json', all, reach).map((line) => JSON.parse(line).level);
    assert.equal(levels, LOG_LEVELS.slice(0, LOG_LEVELS.indexOf(reach) + 1));
  });
}

test('fields with the names of the parts of an entry do not take their place', () => {
  for (const field of ['message', 'level', 'timestamp']) {
    const entry = entryOf((log) => log.warn('hello', { [field]: 'mine' }));
    assert.equal([entry.level, entry.message, entry.detail], ['warn', 'hello', 'mine']);
    assert.match(String(entry.timestamp), /^\d{4}-/);
  }
});

test('a field named message is not appended to the message', () => {
  const [line] = linesOf('text', (log) => log.info('hello', { message: 'more' }));
  assert.match(line ?? '', /^\d\d:\d\d:\d\d info {2}hello {2}detail=more$/);
});

const NESTS: Record<string, (pem: string) => Record<string, unknown>> = {
  'in a field': (pem) => ({ key: pem }),
  'in the middle of a text': (pem) => ({ text: `before ${pem} after` }),
  'cut off': (pem) => ({ key: pem.slice(0, 120) }),
  'in an error': (pem) => ({ error: new Error(pem) }),
  'in an object': (pem) => ({ object: { data: { key: pem } } }),
  'in a list': (pem) => ({ list: ['a', pem] }),
  'in a field that is called message': (pem) => ({ message: pem }),
};

for (const format of ['json', 'text'] as const) {
  for (const [kind, pem] of Object.entries(PEMS)) {
    for (const [where, fields] of Object.entries(NESTS)) {
      test(`${format}: a private key (${kind}) ${where} is not written`, () => {
        const lines = linesOf(format, (log) => log.error('oops', fields(pem)));
        assert.is(lines.length, 1);
        const body = pem.split('\n').slice(1, 3);
        for (const part of body) assert.not(lines[0]?.includes(part.slice(0, 30)));
      });
    }
  }
  test(`${format}: a private key in the message is not written`, () => {
    const lines = linesOf(format, (log) => log.error(`oops ${PEMS['PKCS#8']}`));
    assert.not(lines.join('\n').includes(PEMS['PKCS#8']?.split('\n')[1] ?? ''));
  });

  test(`${format}: an entry is one line, whatever is in its fields`, () => {
    const fields = { a: 'one\ntwo', b: 'x\r\ny', 'c\nd': 'e', f: { g: 'h\ni' }, j: ['k\nl'], m: '\u2028' };
    assert.is(linesOf(format, (log) => log.info('hello', fields)).length, 1);
  });

  test(`${format}: fields of any kind are no reason to throw`, () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const fields = {
      big: 1n,
      nothing: undefined,
      none: null,
      date: new Date(0),
      symbol: Symbol('s'),
      run: () => {},
      bytes: Buffer.from('x'),
      circle,
      bare: Object.create(null),
    };
    assert.is(linesOf(format, (log) => log.info('hello', fields)).length, 1);
  });
}

for (const format of ['json', 'text'] as const) {
  test(`${format}: a line holds nothing that a terminal obeys, that turns it round or that no reader takes`, () => {
    const foreign = 'a\u001b[2J\x7f\x85\x9b2J\u2028\u202e\ufeff\ufffe\ud83db\u{1f511}';
    const [line = '', ...more] = linesOf(format, (log) => log.info('hello', { name: foreign, [foreign]: [foreign] }));
    assert.equal(more, []);
    assert.not.match(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{NChar}]/u);
    assert.ok(line.includes('b\u{1f511}'), 'what can be seen is left as it is');
  });
}

test('a JSON line gives a field back as it was', () => {
  const name = 'a\x7f\x85\u2028\u202e\\ud83d\ufffe';
  assert.is(entryOf((log) => log.info('hello', { name })).name, name);
});

test('text can not move the cursor of a terminal', () => {
  const [line] = linesOf('text', (log) => log.info('hello', { name: 'a\u001b[2Jb' }));
  assert.not(line?.includes('\u001b'));
});

test('text shows simple values bare and others quoted', () => {
  const [line] = linesOf('text', (log) => log.info('hello', { name: 'a/b', said: 'two words', n: 5, none: undefined }));
  assert.match(line ?? '', / info {2}hello {2}name=a\/b said="two words" n=5$/);
});

test.run();
