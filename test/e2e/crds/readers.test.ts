/**
 * Go is what most servers read certificates with. Whatever name the API server or the controller accepts, Go must read;
 * the two refuse the same names, and no ordinary one.
 */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { implicit, sequence } from '../../../src/pki/asn1/write.ts';
import { NO_NAMES, namesProblem } from '../../../src/pki/san.ts';
import { ensureProgram } from '../../programs/programs.ts';
import { lazily } from '../support/lazily.ts';
import { type Api, collection, DRY_RUN, startWithCrds } from './api.ts';
import { merge, smallest } from './samples.ts';

const shared = lazily(startWithCrds);
test.after(shared.stop);

const SEED = 20_260_131;
type Field = 'uris' | 'emailAddresses' | 'dnsNames';
const TAGS = { emailAddresses: 1, dnsNames: 2, uris: 6 } as const;

/** What Go says of a certificate with each of the names alone. */
async function askGo(field: Field, names: readonly string[]): Promise<string[]> {
  const program = spawn(await ensureProgram('go-x509'), { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = names.map((name) => sequence(implicit(TAGS[field], Buffer.from(name))).toString('base64'));
  program.stdin.end(`${lines.join('\n')}\n`);
  const answers = (await text(program.stdout)).trimEnd().split('\n');
  assert.is(answers.length, names.length);
  return answers;
}

/** Go can't match URIs without a host against constraints, of whatever kind; that is a matter of the chain. */
function isRefusal(field: Field, answer: string): boolean {
  return field === 'uris' ? answer.startsWith('unreadable: ') : answer !== 'ok';
}

/** The names that the API server refuses, with what it says. */
async function askApiServer(api: Api, field: Field, names: readonly string[]): Promise<Map<string, string>> {
  const refused = new Map<string, string>();
  for (let start = 0; start < names.length; start += 16) {
    const some = names.slice(start, start + 16);
    const object = merge(smallest('ClientCertificate'), { spec: { [field]: some } });
    const { causes } = await api.send('POST', collection('ClientCertificate') + DRY_RUN, object);
    for (const { field: path = '', message = '' } of causes) {
      const name = some[Number(/\[(\d+)\]$/.exec(path)?.[1])];
      assert.ok(name !== undefined, `${path}: ${message}`);
      refused.set(name, `${refused.get(name) ?? ''} ${message}`);
    }
  }
  return refused;
}

function samples(arbitrary: fc.Arbitrary<string>, count: number): string[] {
  return [...new Set(fc.sample(arbitrary, { seed: SEED, numRuns: count }))];
}

const pieces = (...all: readonly string[]) => fc.array(fc.constantFrom(...all), { minLength: 1, maxLength: 9 });
const URIS = samples(
  fc
    .tuple(
      fc.constantFrom('http:', 'spiffe:', 'urn:', 'x+y.z-1:', 'HTTP:', '1:', ''),
      fc.constantFrom('//', '//', '//', '//', '/', '///', ''),
      pieces(
        ...'/ ? # [ ] : @ . .. - _ % %41 %c3 %25 ~ + ; , " < > ^ a b.c 80 ::1 1.2.3.4 [::1] [::1]: ü'.split(' '),
        ' ',
      ),
    )
    .map(([scheme, slashes, rest]) => `${scheme}${slashes}${rest.join('')}`),
  4000,
);
const MAILBOXES = samples(
  fc
    .tuple(
      pieces(...'. .. a bc - _ + = " ( < \\ ü'.split(' ')),
      fc.constantFrom('@example.com', '@example.com', '@a.b', '@a', '@.a', '@a..b', '@a.', '@', '', '@a@b'),
    )
    .map(([local, rest]) => `${local.join('')}${rest}`),
  2000,
);
const HOSTS = samples(
  pieces(...'. . .. a a b-c b-c - _ *. * 1 ü xn--a'.split(' ')).map((all) => all.join('')),
  1500,
);

const CASES: readonly [Field, readonly string[]][] = [
  ['uris', URIS],
  ['emailAddresses', MAILBOXES],
  ['dnsNames', HOSTS],
];

/** Of the API server alone: what SPIFFE asks of its IDs, lower case, and lengths. */
const STRICTER = /a SPIFFE ID is|must be lower-case|at least 3 chars|should match '\^\(\[\*\]/;

for (const [field, names] of CASES) {
  test(`${field}: what the API server or the controller accepts, Go reads`, async () => {
    const [answers, refused] = await Promise.all([
      askGo(field, names),
      shared.get().then((api) => askApiServer(api, field, names)),
    ]);
    const count = { accepted: 0, refusedByGo: 0 };
    for (const [index, name] of names.entries()) {
      const answer = answers[index] ?? '';
      const problem = namesProblem({ ...NO_NAMES, [field]: [name] });
      const said = refused.get(name);
      if (isRefusal(field, answer)) {
        count.refusedByGo += 1;
        assert.ok(problem, `the controller accepts ${JSON.stringify(name)}, of which Go says ${answer}`);
        assert.ok(said, `the API server accepts ${JSON.stringify(name)}, of which Go says ${answer}`);
      }
      if (problem !== undefined)
        assert.ok(said, `the API server accepts a name of which the controller says ${problem}`);
      else if (said !== undefined) assert.match(said, STRICTER, `the controller accepts ${JSON.stringify(name)}`);
      if (said === undefined) count.accepted += 1;
    }
    assert.ok(
      count.accepted > 50 && count.refusedByGo > 50,
      `too one-sided to prove anything: ${JSON.stringify(count)}`,
    );
  });
}

test('ordinary URIs are accepted by all three', async () => {
  const segment = fc.stringMatching(/^([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2}){1,8}$/);
  const ordinary = fc
    .tuple(
      fc.constantFrom('http', 'https', 'ldap', 'x-y.z+1'),
      fc.oneof(fc.domain(), fc.ipV4(), fc.constantFrom('[2001:db8::7]', '[::1]', 'localhost', 'a_b')),
      fc.constantFrom('', ':1', ':65535'),
      fc.array(segment, { maxLength: 3 }),
      fc.constantFrom('', '?', '?a=b&c=/?', '#', '#/?', '?a#b'),
    )
    .map(
      ([scheme, host, port, path, end]) => `${scheme}://${host}${port}${path.map((each) => `/${each}`).join('')}${end}`,
    );
  const uris = [
    ...samples(ordinary, 800),
    'urn:isbn:0451450523',
    'mailto:a@example.com',
    'file:///etc/x',
    'tel:+49-30',
  ];
  const [answers, refused] = await Promise.all([
    askGo('uris', uris),
    shared.get().then((api) => askApiServer(api, 'uris', uris)),
  ]);
  assert.equal([...refused], []);
  assert.equal(
    answers.filter((answer) => isRefusal('uris', answer)),
    [],
  );
  assert.is(namesProblem({ ...NO_NAMES, uris }), undefined);
});

test.run();
