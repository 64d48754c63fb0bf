import type { Writable } from 'node:stream';
import { type Clock } from '@tidemark/kernel';
import { DeliveryError, deliverableItems, everythingNew, type Sink } from '@tidemark/pipeline';

/**
 * One JSON line for each change: `{"timestamp","action":"db_change","topic","payload"}`, the payload being the message as it
 * stands, so that numbers too large for a program's own keep every digit. A crash between writing and committing
 * repeats lines: a log has no transaction.
 */
export function logSink(output: Writable, clock: Clock): Sink<unknown> {
  return {
    open: async position => position.nextOffset,
    async deliver(batch) {
      const timestamp = new Date(clock.now()).toISOString();
      const lines = deliverableItems(batch).map(({ record }) => {
        // Valid JSON has line breaks only between tokens.
        const payload =
          record.value
            ?.toString()
            .replace(/[\r\n]+/g, ' ')
            .trim() ?? 'null';
        return `{"timestamp":"${timestamp}","action":"db_change","topic":${JSON.stringify(record.topic)},"payload":${payload}}\n`;
      });
      if (lines.length > 0) await write(output, lines.join(''));
      return everythingNew;
    },
    close: async () => {},
  };
}

function write(output: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, error => {
      if (error)
        reject(new DeliveryError('down', `the log cannot be written: ${error.message}`, { cause: error }));
      else resolve();
    });
  });
}
