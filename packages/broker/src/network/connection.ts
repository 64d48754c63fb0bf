import type { Socket } from 'node:net';
import { describeError } from '@tidemark/kernel';
import { CloseConnection, type Peer } from '../api/api.ts';
import type { BrokerSettings } from '../options.ts';
import type { LentMemory } from '../storage/lent-memory.ts';
import { WireError } from '../wire/wire-error.ts';
import type { AnswerFrame, Dispatcher } from './dispatcher.ts';
import { FrameDecoder } from './frame-decoder.ts';
import type { Landing } from './landing.ts';
import type { MemoryGuard } from './memory-guard.ts';
import type { RequestBudget } from './request-budget.ts';

/** A place in the order of answers; filled when its request is done. */
interface Slot {
  readonly bytes: number;
  readonly isFetch: boolean;
  done: boolean;
  answer: AnswerFrame | null;
}

/** Answers that are together smaller than this are copied into one piece: the system call costs more than the copy. */
const SMALL_BYTES = 16 * 1024;

export interface ConnectionEnvironment {
  readonly settings: BrokerSettings;
  readonly dispatcher: Dispatcher;
  readonly budget: RequestBudget;
  readonly memory: LentMemory;
  readonly landing: Landing;
  /** Requests that have begun to arrive, of all connections. */
  readonly incomplete: MemoryGuard;
  /** Answers that their peers have not read yet, of all connections. */
  readonly unsent: MemoryGuard;
  /** Called once, with a word that is fit for a label. */
  readonly closed: (connection: Connection, reason: string) => void;
}

/**
 * One client. Requests are started in the order they arrive and answered in that order. Nothing more is read while
 * the peer has too many requests under way or more than a few fetches, leaves too many answers unread, or the broker's
 * memory for requests is used up.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #env: ConnectionEnvironment;
  readonly #decoder: FrameDecoder;
  readonly #peer: Peer;
  readonly #closing = new AbortController();
  #slots: Slot[] = [];
  /** A fetch that waits for those before it: their answers are the only ones that may be large. */
  #heldBack: Buffer | null = null;
  /** Bytes of answers that wait for an earlier one. */
  #waitingBytes = 0;
  #cancelFrameTimer: (() => void) | undefined;
  #draining = false;
  #flushing = false;
  #closeReason = 'peer';
  readonly #retry = (): void => this.#readOn();

  constructor(
    accepted: Socket,
    env: ConnectionEnvironment,
    authentication: Pick<Peer, 'isAuthenticated' | 'sasl'>,
  ) {
    this.#env = env;
    this.#decoder = new FrameDecoder(env.settings.limits.frameBytesMax, env.memory);
    const socket = env.landing.adopt(accepted, piece => this.#received(piece));
    this.#socket = socket;
    const address = socket.remoteAddress ?? 'unknown';
    this.#peer = { ...authentication, address, closed: this.#closing.signal };
    socket.setNoDelay(true);
    socket.setTimeout(env.settings.limits.idleMs);
    socket.on('drain', () => {
      this.#countUnsent();
      this.#readOn();
    });
    socket.on('timeout', () => this.#destroy('idle'));
    socket.on('error', () => this.#destroy('reset'));
    // A peer that says goodbye is gone, as for Kafka: what it left parked must not count as present in a group.
    socket.on('end', () => this.#destroy('peer'));
    socket.on('close', () => this.#cleanUp());
  }

  /** Reads nothing more, lets what is under way be answered, then closes. */
  drain(): void {
    this.#draining = true;
    this.#closeReason = 'shutdown';
    this.#socket.pause();
    if (this.#slots.length === 0) this.#socket.destroySoon();
  }

  /** Closes at once, because of the peer. */
  drop(reason: string): void {
    this.#drop(new WireError(reason));
  }

  /** Closes at once. */
  abort(): void {
    this.#destroy('shutdown');
  }

  #received(piece: Buffer): void {
    this.#env.settings.metrics.bytesReceived(piece.length);
    this.#decoder.push(piece);
    this.#readOn();
  }

  /** Takes frames for as long as the limits allow; the socket is paused while they do not. */
  #readOn(): void {
    if (this.#socket.destroyed) return; // what is counted for it now would never be let go of
    try {
      while (!this.#draining && this.#mayStart()) {
        const frame = this.#heldBack ?? this.#decoder.next();
        if (!frame) break;
        this.#stopFrameTimer();
        this.#heldBack = isFetch(frame) && this.#fetchesAreMany() ? frame : null;
        if (this.#heldBack) break;
        this.#start(frame);
      }
    } catch (error) {
      this.#drop(error);
      return;
    }
    this.#watchFrame();
    this.#env.incomplete.hold(this, this.#decoder.pendingBytes);
    if (this.#draining || !this.#mayStart()) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  #mayStart(): boolean {
    const { limits } = this.#env.settings;
    if (this.#slots.length >= limits.pipelinedRequestsMax) return false;
    if (this.#heldBack && this.#fetchesAreMany()) return false;
    if (this.#socket.writableLength + this.#waitingBytes > limits.unsentBytesMax) return false;
    return this.#env.budget.hasRoom(this.#retry);
  }

  #start(frame: Buffer): void {
    const slot: Slot = { bytes: frame.length, isFetch: isFetch(frame), done: false, answer: null };
    this.#slots.push(slot);
    this.#env.budget.take(frame.length);
    this.#env.dispatcher.dispatch(frame, this.#peer).then(
      answer => this.#finished(slot, answer),
      (error: unknown) => {
        this.#finished(slot, null);
        this.#sendReady(); // what was answered before is not lost with this one
        this.#drop(error);
      },
    );
  }

  #finished(slot: Slot, answer: AnswerFrame | null): void {
    slot.done = true;
    slot.answer = answer;
    this.#waitingBytes += bytesOf(answer);
    this.#env.budget.give(slot.bytes);
    if (this.#flushing) return;
    // Requests that are answered by the same write are done one right after another, and share the way out.
    this.#flushing = true;
    process.nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushing = false;
    this.#sendReady();
    if (this.#draining && this.#slots.length === 0) this.#socket.destroySoon();
    else this.#readOn();
  };

  #sendReady(): void {
    let ready = 0;
    while (this.#slots[ready]?.done) ready += 1;
    const answers = this.#slots.splice(0, ready).flatMap(({ answer }) => answer ?? []);
    let bytes = 0;
    for (const answer of answers) bytes += bytesOf(answer);
    this.#waitingBytes -= bytes;
    if (this.#socket.destroyed || answers.length === 0) return;
    const buffers = answers.flatMap(answer => answer.buffers);
    this.#env.settings.metrics.bytesSent(bytes);
    const sent = () => {
      for (const answer of answers) answer.sent?.();
    };
    this.#write(bytes <= SMALL_BYTES && buffers.length > 1 ? [Buffer.concat(buffers, bytes)] : buffers, sent);
    this.#countUnsent();
  }

  #fetchesAreMany(): boolean {
    return this.#slots.filter(slot => slot.isFetch).length >= FETCHES_AT_ONCE;
  }

  /** What fits the system's own buffers goes without saying; the rest is told until the peer has read it. */
  #countUnsent(): void {
    const unread = this.#socket.writableNeedDrain ? this.#socket.writableLength : 0;
    this.#env.unsent.hold(this, unread + this.#waitingBytes);
  }

  #write(buffers: readonly Buffer[], sent: () => void): void {
    const last = buffers.length - 1;
    this.#socket.cork();
    for (const [index, buffer] of buffers.entries()) {
      if (index < last) this.#socket.write(buffer);
      else {
        this.#socket.write(buffer, error => {
          if (!error) sent();
        });
      }
    }
    this.#socket.uncork();
  }

  /** A frame that has begun must end: whoever stops in the middle holds memory for nothing. */
  #watchFrame(): void {
    if (this.#decoder.pendingBytes === 0 || !this.#mayStart()) {
      this.#stopFrameTimer();
      return;
    }
    const { timers, limits } = this.#env.settings;
    this.#cancelFrameTimer ??= timers.schedule(limits.frameMs, () =>
      this.#drop(new WireError('a frame does not end')),
    );
  }

  #stopFrameTimer(): void {
    this.#cancelFrameTimer?.();
    this.#cancelFrameTimer = undefined;
  }

  #drop(error: unknown): void {
    if (this.#socket.destroyed) return;
    const isTheirs = error instanceof WireError || error instanceof CloseConnection;
    const facts = { peer: this.#peer.address, reason: describeError(error) };
    if (isTheirs) this.#env.settings.logger.warn(facts, 'connection dropped');
    else this.#env.settings.logger.error({ ...facts, error }, 'connection dropped because of a defect');
    this.#destroy(error instanceof CloseConnection ? 'refused' : isTheirs ? 'protocol' : 'defect');
  }

  #destroy(reason: string): void {
    if (this.#socket.destroyed) return;
    this.#closeReason = reason;
    this.#socket.destroy();
  }

  #cleanUp(): void {
    this.#stopFrameTimer();
    this.#env.budget.forget(this.#retry);
    this.#env.incomplete.hold(this, 0);
    this.#env.unsent.hold(this, 0);
    this.#closing.abort();
    this.#env.closed(this, this.#closeReason);
  }
}

const FETCH = 1;
/** Fetches of one connection that are handled at once; a client has one under way for each of its streams. */
const FETCHES_AT_ONCE = 4;

/** The API key is what a frame begins with; one that is too short for it is refused later. */
const isFetch = (frame: Buffer): boolean => frame.length >= 2 && frame.readInt16BE(0) === FETCH;

function bytesOf(answer: AnswerFrame | null): number {
  let bytes = 0;
  for (const buffer of answer?.buffers ?? []) bytes += buffer.length;
  return bytes;
}
