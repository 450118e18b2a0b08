import { test } from 'uvu';
import { selfManaged } from '../../../src/backends/self-managed.ts';
import { conformance } from './conformance.ts';
import { NOTHING_ELSEWHERE } from './subject.ts';

conformance({
  type: 'selfManaged',
  capabilities: selfManaged.capabilities,
  exempt: NOTHING_ELSEWHERE,
  lives: ['1m', '24h', '2160h'],
  refusedLives: [],
  // Nothing of it is elsewhere, so nothing can be out of reach.
  checks: [],
  start: async () => ({ prepare: async () => ({ commonName: 'Test' }), stop: async () => {} }),
});

test.run();
