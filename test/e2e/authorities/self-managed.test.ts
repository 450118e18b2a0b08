import { test } from 'uvu';
import { selfManaged } from '../../../src/authorities/self-managed.ts';
import { conformance } from './conformance.ts';

conformance({
  type: 'selfManaged',
  capabilities: selfManaged.capabilities,
  lives: ['1m', '24h', '2160h'],
  refusedLives: [],
  // Nothing of it is elsewhere, so nothing can be out of reach.
  checks: [],
  start: async () => ({ prepare: async () => ({ commonName: 'Test' }), stop: async () => {} }),
});

test.run();
