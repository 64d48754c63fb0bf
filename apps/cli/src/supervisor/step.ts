/** How to start a process. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Another operating-system user, when started by root. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

interface StepBase {
  readonly name: string;
  /** Names of the steps that must be done before this one; those that are not part of the stack do not count. */
  readonly needs: readonly string[];
}

/** Something that is done once on the way up. */
export interface TaskStep extends StepBase {
  readonly kind: 'task';
  /** Answers with a few words on what was done. The signal aborts when the stack is stopped meanwhile. */
  run(signal: AbortSignal): Promise<string>;
}

/** A process that is kept running. */
export interface ServiceStep extends StepBase {
  readonly kind: 'service';
  /** Ports that it will listen on; a taken one is told before anything starts. */
  readonly ports: readonly number[];
  /** Where people reach it. */
  readonly address: string;
  prepare(): Promise<Launch>;
  /** Resolves when the service does its work; rejects while it does not. */
  probe(signal: AbortSignal): Promise<void>;
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
}

export type Step = TaskStep | ServiceStep;

/** Steps in groups: every step of a group needs only steps of earlier groups. */
export function inWaves<T extends Step>(steps: readonly T[]): readonly (readonly T[])[] {
  const present = new Set(steps.map(step => step.name));
  const done = new Set<string>();
  const waves: T[][] = [];
  let rest = [...steps];
  while (rest.length > 0) {
    const wave = rest.filter(step => step.needs.every(need => done.has(need) || !present.has(need)));
    if (wave.length === 0)
      throw new Error(`steps need each other in a circle: ${rest.map(({ name }) => name).join(', ')}`);
    waves.push(wave);
    for (const step of wave) done.add(step.name);
    rest = rest.filter(step => !done.has(step.name));
  }
  return waves;
}
