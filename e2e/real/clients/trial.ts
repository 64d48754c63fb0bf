import { run } from '../../src/programs.ts';

/** A client of another maker: a program that tries everything it can on a broker and prints what it saw. */
export interface TrialProgram {
  readonly command: string;
  readonly args: readonly string[];
}

/** What a trial is given on standard input. */
export interface TrialPlan {
  readonly bootstrap: string;
  readonly codecs: readonly string[];
  /** Pairs of key and value. */
  readonly records: readonly (readonly [string, string])[];
  /** Timestamp of the first of ten records, a second apart. */
  readonly firstTimestampMs: number;
}

/** What the sections of a trial saw. */
export interface TrialResults {
  readonly client: string;
  readonly admin: {
    /** Partitions of the topic that was created, and after it was grown. */
    readonly created: number;
    readonly grown: number;
    /** `retention.ms` before and after it was changed. */
    readonly retention: readonly [string, string];
    /** The error's name when the topic was created once more. */
    readonly refusal: string;
  };
  /** Offset, key, value and first header of every record that was read, by codec. */
  readonly codecs: Readonly<Record<string, readonly (readonly [number, string, string, string])[]>>;
  readonly idempotent: TrialPlan['records'];
  readonly transactions: {
    /** Values that a consumer reads that wants only what was committed, and one that wants all. */
    readonly committed: readonly string[];
    readonly all: readonly string[];
    /** Offset that was committed for a group within a transaction. */
    readonly groupOffset: number;
  };
  readonly time: {
    /** Offset of a moment between two records, and the value that is read there. */
    readonly offset: number;
    readonly value: string;
    /** What is told of a moment after the last record. */
    readonly beyond: unknown;
  };
  readonly groups: SharedTopic;
  /** The same with a strategy that takes from a member only what another gets. */
  readonly cooperative: SharedTopic;
}

/** What two members of a group saw of a topic with four partitions. */
interface SharedTopic {
  /** Partitions of the only member, of both, and of the one that was left. */
  readonly alone: readonly number[];
  readonly shared: readonly (readonly number[])[];
  readonly left: readonly number[];
  /** Every different value that was read, and the sum of the committed offsets. */
  readonly values: readonly string[];
  readonly committed: number;
}

export type TrialSection = keyof TrialResults;

/** The outcome of one trial. */
export class Trial {
  readonly #sections: ReadonlyMap<string, { readonly result?: unknown; readonly error?: string }>;

  readonly #said: string;

  private constructor(output: string, said: string) {
    this.#said = said;
    const lines = output.split('\n').filter(line => line.startsWith('{'));
    this.#sections = new Map(
      lines.map(line => {
        const said = JSON.parse(line) as { section: string; result?: unknown; error?: string };
        return [said.section, said];
      }),
    );
  }

  static async run({ command, args }: TrialProgram, plan: TrialPlan): Promise<Trial> {
    // A client that could not finish a section may also end badly; what the others saw counts all the same.
    const { stdout, stderr } = await run(command, args, { input: JSON.stringify(plan), withinMs: 240_000 });
    return new Trial(stdout, stderr.slice(-2000));
  }

  /** What a section saw; throws the client's own words where it failed. */
  saw<Section extends TrialSection>(section: Section): TrialResults[Section] {
    const said = this.#sections.get(section);
    if (said === undefined) throw new Error(`the trial says nothing of ${section}: ${this.#said}`);
    if (said.error !== undefined) throw new Error(said.error);
    return said.result as TrialResults[Section];
  }
}
