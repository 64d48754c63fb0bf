import { Socket, type SocketConstructorOpts } from 'node:net';

/** As much as a socket's buffer holds when a sender is fast: fewer and larger reads. */
const LANDING_BYTES = 256 * 1024;

/** Where a socket of Node keeps what it is a wrapper of; no part of its documented interface. */
const handleKey = '_handle';

/** Called with what arrived; the bytes are gone when it returns. */
type Received = (piece: Buffer) => void;

/**
 * The place where everything that clients send arrives first, one for all connections. Node otherwise takes new
 * memory for every piece that it reads, at the rate of the data, and the garbage collector has to keep up with it.
 *
 * Reading into given memory (`onread`) is an option of sockets that are made, not of those that are accepted, so a
 * socket is made around the handle of the accepted one. Where there is no such handle, as with TLS, pieces come in
 * memory of their own.
 */
export class Landing {
  readonly #buffer = Buffer.allocUnsafeSlow(LANDING_BYTES);

  /** The socket to use from now on in the place of an accepted one that has not been read from yet. */
  adopt(accepted: Socket, received: Received): Socket {
    const bare = accepted as unknown as Record<typeof handleKey, unknown>;
    const handle = bare[handleKey];
    if (
      handle === null ||
      typeof handle !== 'object' ||
      !('useUserBuffer' in handle) ||
      'encrypted' in accepted
    ) {
      accepted.on('data', received);
      return accepted;
    }
    bare[handleKey] = null;
    accepted.destroy();
    const options = {
      handle,
      onread: {
        buffer: this.#buffer,
        callback: (bytes: number) => {
          received(this.#buffer.subarray(0, bytes));
          return true;
        },
      },
    };
    return new Socket(options as unknown as SocketConstructorOpts);
  }
}
