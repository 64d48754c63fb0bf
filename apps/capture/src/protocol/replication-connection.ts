import { TidemarkError } from '@tidemark/kernel';
import { Client, type ClientConfig, escapeIdentifier, escapeLiteral } from 'pg';
import { formatLsn } from './lsn.ts';
import { outputSettings } from './output-settings.ts';
import { standbyStatus } from './wal-frame.ts';

export interface ReplicationOptions {
  /** Connection URL of the database that the slot belongs to. */
  readonly url: string;
  readonly applicationName: string;
  readonly slot: string;
  readonly publication: string;
  /** First byte that is wanted; commits before it are not sent again. */
  readonly startLsn: bigint;
  /** Asks for large transactions before they end, so that the server need not keep them. Servers before 14 cannot. */
  readonly streamsLarge: boolean;
  /** Takes one frame; the bytes belong to the socket and are valid only during the call. */
  readonly onFrame: (frame: Buffer) => void;
  /** Wall clock, milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** A running stream of a replication slot. */
export interface ReplicationConnection {
  /** Resolves when the server ended the stream, rejects when the connection failed. Never before one of the two. */
  readonly ended: Promise<void>;
  /** Stops reading from the socket, so that the server waits. */
  pause(): void;
  resume(): void;
  /** Reports the confirmed position; the server may forget everything before it. */
  confirm(lsn: bigint, requestReply: boolean): void;
  close(): Promise<void>;
}

/** The part of pg's wire connection that streaming needs; its types do not declare it. */
interface WireConnection {
  readonly stream: { pause(): void; resume(): void };
  on(event: 'copyData', listener: (message: { chunk: Buffer }) => void): void;
  once(event: 'replicationStart', listener: () => void): void;
  sendCopyFromChunk(chunk: Buffer): void;
}

/** A peer that vanished is noticed within a minute. */
const sessionSettings = `${outputSettings} -c wal_sender_timeout=60s -c tcp_keepalives_idle=20`;

/**
 * Starts streaming a slot.
 * @throws the server's error, for example 55006 when another session streams the slot
 */
export async function startReplication(options: ReplicationOptions): Promise<ReplicationConnection> {
  const config: ClientConfig & { readonly replication: 'database' } = {
    connectionString: options.url,
    application_name: options.applicationName,
    options: sessionSettings,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    replication: 'database',
  };
  const client = new Client(config);
  // Failures reach us through the pending statement; without a listener they would end the process as well.
  client.on('error', () => {});
  await client.connect();
  const wire = (client as unknown as { connection: WireConnection }).connection;
  wire.on('copyData', message => options.onFrame(message.chunk));
  const started = new Promise<void>(resolve => wire.once('replicationStart', resolve));
  const ended = client.query(startStatement(options, await serverVersion(client))).then(
    () => undefined,
    (error: unknown) => Promise.reject(error),
  );
  ended.catch(() => {}); // whoever waits for it handles it; until then it must not count as unhandled
  await Promise.race([started, ended.then(() => Promise.reject(endedAtOnce()))]).catch(async error => {
    await client.end().catch(() => {});
    throw error;
  });
  return {
    ended,
    pause: () => wire.stream.pause(),
    resume: () => wire.stream.resume(),
    confirm: (lsn, requestReply) => wire.sendCopyFromChunk(standbyStatus(lsn, options.now(), requestReply)),
    // With a statement running, pg closes the socket at once; what was written before still reaches the server.
    close: () => client.end().catch(() => {}),
  };
}

/** First version that streams transactions under way and sends logical messages, as in server_version_num. */
const streamingVersion = 140_000;

async function serverVersion(client: Client): Promise<number> {
  const { rows } = await client.query<{ server_version_num: string }>('SHOW server_version_num');
  return Number(rows[0]?.server_version_num ?? 0);
}

/**
 * The statement that starts a stream. Later protocol versions than 2 add prepared transactions and streams that are
 * applied in parallel, which we do not use.
 */
export function startStatement(
  { slot, publication, startLsn, streamsLarge }: Omit<ReplicationOptions, 'onFrame' | 'now' | 'url'>,
  version: number,
): string {
  const names = `publication_names ${escapeLiteral(escapeIdentifier(publication))}`;
  const protocol = version >= streamingVersion && streamsLarge ? `'2', streaming 'on'` : `'1'`;
  const messages = version >= streamingVersion ? `, messages 'true'` : '';
  const settings = `proto_version ${protocol}, ${names}${messages}`;
  return `START_REPLICATION SLOT ${escapeIdentifier(slot)} LOGICAL ${formatLsn(startLsn)} (${settings})`;
}

function endedAtOnce(): TidemarkError {
  return new TidemarkError('REPLICATION_ENDED', 'the server ended the replication stream before it began');
}
