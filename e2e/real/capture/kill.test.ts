import { capturedThroughKills } from '../../src/scenarios/capture-kill.ts';

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);

capturedThroughKills({ kills: 15, pgbenchSeconds: 60, seed });
