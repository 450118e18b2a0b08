import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AddressRefused, type AddressRules, addressProblem, refuseLiteral } from './address.ts';
import { isNetwork, networkList } from './networks.ts';

const HERE: AddressRules = { loopback: true };
const NOT_HERE: AddressRules = { loopback: false };

const HOST = [
  '127.0.0.1',
  '127.8.9.1',
  '0.0.0.0',
  '::1',
  '::',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '0:0:0:0:0:ffff:0:0',
  '::ffff:0:127.0.0.1',
  '64:ff9b::127.0.0.1',
  '2002:7f00:1::',
];
/** Refused whatever the flags say. */
const NEVER: Readonly<Record<string, readonly string[]>> = {
  'link-local': [
    '169.254.169.254',
    '169.254.170.2',
    '::ffff:a9fe:a9fe',
    '::FFFF:169.254.169.254',
    '0000:0000:0000:0000:0000:ffff:a9fe:a9fe',
    '::ffff:0:a9fe:a9fe',
    '::ffff:0:169.254.169.254',
    '::a9fe:a9fe',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b::169.254.169.254',
    '64:ff9b:1::a9fe:a9fe',
    '2002:a9fe:a9fe::',
    '2002:a9fe:a9fe::1',
    '2002:a9fe:a9fe:1234:5678:9abc:def0:1',
    'fe80::1',
    'fe80::1%eth0',
    'febf:ffff::1',
  ],
  'a cloud': [
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '::ffff:100.100.100.200',
    '64:ff9b::6464:64c8',
    '2002:6464:64c8::1',
    'fd00:ec2::254',
    'fd20:ce::254',
  ],
  'many hosts': ['224.0.0.1', '239.255.255.250', '255.255.255.255', '::ffff:224.0.0.1', '64:ff9b::e000:1', 'ff02::1'],
  'for protocols': ['0.0.0.1', '0.1.2.3', '::2', '192.0.0.8', '192.0.0.170', '::ffff:0.1.2.3', '64:ff9b::0.1.2.3'],
  'has abolished': ['::10.0.0.1', '::808:808'],
  Teredo: ['2001::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  'translator to IPv4': ['64:ff9b:1::a00:1', '64:ff9b:1:abcd::a00:1', '64:ff9b:1:ffff:ffff:ffff:808:808'],
};
const FINE = [
  '8.8.8.8',
  '10.0.0.1',
  '100.64.0.1',
  '172.16.0.1',
  '192.0.1.1',
  '192.0.2.1',
  '192.168.0.1',
  '198.18.0.1',
  '223.255.255.255',
  '240.240.0.1',
  '255.255.255.254',
  '2001:1::1',
  '2001:2::1',
  '2001:db8::1',
  '2003::1',
  '2606:4700::1111',
  'fd12::1',
  'fdff::1',
  '::ffff:10.0.0.1',
  '64:ff9b::c000:201',
  '64:ff9b::10.0.0.1',
  '64:ff9b:2::1',
  '2002:a00:1::1',
];

test('what an address is', () => {
  for (const address of HOST) {
    assert.match(addressProblem(address, NOT_HERE) ?? '', 'this host itself', address);
    assert.is(addressProblem(address, HERE), undefined, address);
  }
  for (const [what, addresses] of Object.entries(NEVER))
    for (const address of addresses)
      for (const rules of [HERE, NOT_HERE]) {
        const problem = addressProblem(address, rules) ?? 'allowed';
        assert.match(problem, what, `${address}: ${problem}`);
        assert.ok(problem.startsWith(`${address} `), problem);
      }
  for (const address of FINE) assert.is(addressProblem(address, NOT_HERE), undefined, address);
  for (const name of ['ca.example.com', '', '1.2.3', '::g']) assert.is(addressProblem(name, NOT_HERE), undefined, name);
});

test('this host in a form of IPv6 that no longer is one is refused, also where this host is allowed', () => {
  assert.match(addressProblem('::127.0.0.1', NOT_HERE) ?? '', 'this host itself');
  assert.match(addressProblem('::127.0.0.1', HERE) ?? '', 'has abolished');
});

test('where networks are listed, an address must be in one of them', () => {
  const networks = networkList(['10.1.0.0/16', 'fd12::/16', '64:ff9b:1::/96']);
  const inside = ['10.1.0.0', '10.1.255.255', '::ffff:10.1.2.3', '64:ff9b::a01:203', 'fd12::1', '64:ff9b:1::a00:1'];
  for (const address of inside) assert.is(addressProblem(address, { loopback: false, networks }), undefined, address);
  for (const address of ['10.2.0.1', '8.8.8.8', '::ffff:10.2.0.1', '64:ff9b::a02:1', 'fd13::1', '2001:db8::1'])
    assert.match(addressProblem(address, { loopback: true, networks }) ?? '', '--authority-networks', address);
  assert.match(addressProblem('64:ff9b:1:1::a00:1', { loopback: true, networks }) ?? '', '--authority-networks');
});

test('a list of networks takes nothing from what is refused anyway', () => {
  const networks = networkList(['0.0.0.0/0', '::/0']);
  const never = Object.entries(NEVER).flatMap(([what, each]) => (what === 'translator to IPv4' ? [] : each));
  for (const address of never) assert.ok(addressProblem(address, { loopback: true, networks }), address);
  for (const address of HOST) assert.ok(addressProblem(address, { loopback: false, networks }), address);
  for (const address of FINE) assert.is(addressProblem(address, { loopback: false, networks }), undefined, address);
});

test('this host needs its own flag and no network', () => {
  const networks = networkList(['10.0.0.0/8']);
  for (const address of HOST) {
    assert.is(addressProblem(address, { loopback: true, networks: networkList(['127.0.0.0/8']) }) ?? '', '', address);
    assert.match(addressProblem(address, { loopback: false, networks }) ?? '', '--allow-loopback-authorities', address);
  }
});

test('a network is an address and a length, without bits behind it', () => {
  for (const cidr of ['10.0.0.0/8', '10.1.2.3/32', '0.0.0.0/0', '::/0', 'fd00::/8', '2001:db8::1/128', 'FD00:AB::/32'])
    assert.ok(isNetwork(cidr), cidr);
  for (const cidr of [
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.1.2.3/8',
    '10.0.0/8',
    'fd00::/129',
    'fd00::1/64',
    '::ffff:10.0.0.0/104',
    'fe80::%eth0/64',
    '10.0.0.0/8/8',
    ' 10.0.0.0/8',
    'ca.example.com/8',
    '',
  ]) {
    assert.not.ok(isNetwork(cidr), cidr);
    assert.throws(() => networkList([cidr]), /no network/);
  }
});

test('an address in a URL is known in every way to write it', () => {
  for (const host of [
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '0',
    '127.0.0.1.',
    '①②⑦.⓪.⓪.①',
    '%31%32%37.0.0.1',
    '[::1]',
    '[0:0::0:1]',
    '[::ffff:127.0.0.1]',
    '[::FFFF:7F00:1]',
    '[::127.0.0.1]',
    '0xa9fea9fe',
    '169.254.43518',
    '[::ffff:169.254.169.254]',
    '[64:ff9b:1::1]',
    '[2002:7f00:1::]',
    '[ff02::1]',
    '224.1',
  ])
    assert.throws(
      () => refuseLiteral(new URL(`https://${host}`).hostname, NOT_HERE),
      (error: unknown) => error instanceof AddressRefused,
      host,
    );
  for (const host of ['ca.example.com', '10.0.0.1', '[2001:db8::1]'])
    refuseLiteral(new URL(`https://${host}`).hostname, NOT_HERE);
});

test.run();
