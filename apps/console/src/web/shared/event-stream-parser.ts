/** One server-sent event. */
export interface StreamEvent {
  /** The last event id as of this event, which may have been set by an earlier one. */
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** What a parser reports besides events. */
export interface StreamParser {
  /** Takes a piece of the stream, cut anywhere. */
  push(text: string): void;
  /** The id to reconnect with. Heartbeats may move it without an event. */
  readonly lastEventId: string;
}

/**
 * Reads the event stream format of the HTML standard, section "Server-sent events": fields `id`, `event`, `data`
 * and `retry`, comments, and the three kinds of line end. An event without data is not dispatched.
 */
export function createStreamParser(handlers: {
  readonly onEvent: (event: StreamEvent) => void;
  readonly onRetryMs?: (retryMs: number) => void;
}): StreamParser {
  let rest = '';
  let id = '';
  let type = '';
  let data: string[] = [];

  function dispatch(): void {
    if (data.length > 0)
      handlers.onEvent({ id, type: type === '' ? 'message' : type, data: data.join('\n') });
    type = '';
    data = [];
  }
  function takeField(name: string, value: string): void {
    if (name === 'data') data.push(value);
    else if (name === 'event') type = value;
    else if (name === 'id' && !value.includes('\0')) id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) handlers.onRetryMs?.(Number(value));
  }
  function takeLine(line: string): void {
    if (line === '') return dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return undefined;
    if (colon < 0) return takeField(line, '');
    return takeField(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ''));
  }

  return {
    push(text) {
      rest += text;
      // A carriage return at the very end may be half of CRLF: it waits for the next piece.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      for (const line of lines) takeLine(line);
    },
    get lastEventId() {
      return id;
    },
  };
}
