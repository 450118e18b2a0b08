/**
 * Writes the certificate CRT (PEM, an EC or RSA key) again with all hex FROM in place of TO, of the same length, and signs it
 * anew: node resign.ts CRT KEY FROM TO. For encodings that openssl reads and doesn't write.
 */
import { sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { children, readElement } from '../../../src/pki/asn1/read.ts';
import { bitString, sequence, TAG } from '../../../src/pki/asn1/write.ts';
import { parsePem, toPem } from '../../../src/pki/pem.ts';

const [crt = '', key = '', from = '', to = ''] = process.argv.slice(2);
const [block] = parsePem(readFileSync(crt, 'latin1'));
if (block === undefined || from.length !== to.length) throw new Error('usage: node resign.ts CRT KEY FROM TO');
const [tbs, algorithm] = children(readElement(block.der, TAG.sequence, 'certificate'));
if (tbs === undefined || algorithm === undefined) throw new Error('no certificate');
const hex = tbs.bytes.toString('hex');
if (!hex.includes(from)) throw new Error(`${from} doesn't occur`);
const changed = Buffer.from(hex.replaceAll(from, to), 'hex');
const signature = sign('sha256', changed, readFileSync(key));
process.stdout.write(toPem('CERTIFICATE', sequence(changed, algorithm.bytes, bitString(signature))));
