/** Bytes of a slab that messages are cut from; one allocation serves many messages. */
const slabBytes = 256 * 1024;

const quote = 0x22;
const backslash = 0x5c;
const lowerU = 0x75;
const hexDigits = '0123456789abcdef';
/** First byte of U+2028 and U+2029 in UTF-8, which TiCDC escapes. */
const separatorLead = 0xe2;

/** Escapes with a letter; all other control characters are written as `\u00xx` (mailru/easyjson, jwriter). */
const letterEscapes = new Map([
  [0x09, 0x74],
  [0x0a, 0x6e],
  [0x0d, 0x72],
  [quote, quote],
  [backslash, backslash],
]);

/** 1 for the bytes that stand for themselves inside a JSON text as TiCDC writes it, HTML characters excluded. */
const standsForItself = Uint8Array.from({ length: 256 }, (_, byte) => {
  const escaped = byte < 0x20 || letterEscapes.has(byte) || '<>&'.includes(String.fromCharCode(byte));
  return escaped || byte === separatorLead ? 0 : 1;
});

/**
 * Writes JSON messages one after another into slabs and hands each out as a view of its slab. The view keeps the slab
 * alive, so what is held back by a slow broker is bounded by the bytes in flight plus one slab.
 */
export class ByteWriter {
  #slab = Buffer.allocUnsafeSlow(slabBytes);
  #start = 0;
  #end = 0;

  /** Ends the message and returns it. */
  take(): Buffer {
    const message = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return message;
  }

  /** Drops the bytes of the message begun, for an encoder that fails half way. */
  discard(): void {
    this.#end = this.#start;
  }

  /** Bytes that are JSON already. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#slab.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** A text of ASCII characters that is JSON already. */
  ascii(text: string): void {
    this.#reserve(text.length);
    for (let at = 0; at < text.length; at += 1) this.#slab[this.#end + at] = text.charCodeAt(at);
    this.#end += text.length;
  }

  /** A JSON string literal of a JavaScript text. */
  text(value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    this.utf8(bytes, 0, bytes.length);
  }

  /** A JSON string literal of UTF-8 bytes. */
  utf8(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve((end - start) * 6 + 2);
    const slab = this.#slab;
    let to = this.#end;
    slab[to++] = quote;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (standsForItself[byte] === 1) {
        slab[to++] = byte;
      } else if (byte === separatorLead) {
        const separator = separatorAt(bytes, at, end);
        if (separator === undefined) {
          slab[to++] = byte;
        } else {
          to += slab.write(separator, to, 'latin1');
          at += 2;
        }
      } else {
        to = writeEscape(slab, to, byte);
      }
    }
    slab[to++] = quote;
    this.#end = to;
  }

  /** A JSON string literal of bytes read as ISO-8859-1, which is how Canal-JSON carries binary values. */
  latin1(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve((end - start) * 6 + 2);
    const slab = this.#slab;
    let to = this.#end;
    slab[to++] = quote;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (byte >= 0x80) {
        slab[to++] = 0xc0 | (byte >> 6);
        slab[to++] = 0x80 | (byte & 0x3f);
      } else if (standsForItself[byte] === 1) {
        slab[to++] = byte;
      } else {
        to = writeEscape(slab, to, byte);
      }
    }
    slab[to++] = quote;
    this.#end = to;
  }

  /** Makes room, moving the message begun to a new slab when this one is full. */
  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#slab.length) return;
    const begun = this.#slab.subarray(this.#start, this.#end);
    const fresh = Buffer.allocUnsafeSlow(Math.max(slabBytes, (begun.length + bytes) * 2));
    fresh.set(begun);
    this.#slab = fresh;
    this.#start = 0;
    this.#end = begun.length;
  }
}

/** The escape of U+2028 or U+2029 when its three bytes stand here. */
function separatorAt(bytes: Uint8Array, at: number, end: number): string | undefined {
  if (at + 2 >= end || bytes[at + 1] !== 0x80) return undefined;
  if (bytes[at + 2] === 0xa8) return '\\u2028';
  return bytes[at + 2] === 0xa9 ? '\\u2029' : undefined;
}

function writeEscape(slab: Buffer, from: number, byte: number): number {
  let to = from;
  slab[to++] = backslash;
  const letter = letterEscapes.get(byte);
  if (letter !== undefined) {
    slab[to++] = letter;
    return to;
  }
  slab[to++] = lowerU;
  slab[to++] = 0x30;
  slab[to++] = 0x30;
  slab[to++] = hexDigits.charCodeAt(byte >> 4);
  slab[to++] = hexDigits.charCodeAt(byte & 0xf);
  return to;
}
