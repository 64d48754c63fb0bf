import { describeError } from '@tidemark/kernel';
import { findViolations } from './checker.ts';
import { World } from './world.ts';

export interface SimulationResult {
  readonly seed: number;
  readonly events: number;
  /** Empty when every promise was kept. */
  readonly violations: readonly string[];
}

/** Runs one seed; the same seed always gives the same run. */
export async function simulate(seed: number): Promise<SimulationResult> {
  const world = new World(seed);
  try {
    await world.run();
    return { seed, events: world.produced.length, violations: findViolations(world) };
  } catch (error) {
    return { seed, events: world.produced.length, violations: [...world.violations, describeError(error)] };
  }
}
