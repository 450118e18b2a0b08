import { test } from 'uvu';
import { cloudflareSubject } from './cloudflare-subject.ts';
import { conformance } from './conformance.ts';

conformance(cloudflareSubject);

test.run();
