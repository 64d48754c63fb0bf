/** What the header `tidemark-replay-origin` says about a dead letter that was sent back. */
export interface ReplayOrigin {
  readonly pipeline: string;
  readonly partition: number;
  /** The offset at which the event became a dead letter for the first time. */
  readonly offset: bigint;
  /** The going through the letters that it belongs to. */
  readonly pass: bigint;
  /** Its own number. */
  readonly seq: bigint;
}

/** `<pipeline>/<partition>/<offset>/<pass>/<seq>` */
export function formatReplayOrigin({ pipeline, partition, offset, pass, seq }: ReplayOrigin): string {
  return [pipeline, partition, offset, pass, seq].join('/');
}

/** Undefined for what we have not written. */
export function parseReplayOrigin(text: string | undefined): ReplayOrigin | undefined {
  const [, pipeline, partition, offset, pass, seq] =
    /^(.+)\/(\d{1,9})\/(\d{1,18})\/(\d{1,18})\/(\d{1,18})$/.exec(text ?? '') ?? [];
  if (!pipeline || !partition || !offset || !pass || !seq) return undefined;
  return {
    pipeline,
    partition: Number(partition),
    offset: BigInt(offset),
    pass: BigInt(pass),
    seq: BigInt(seq),
  };
}
