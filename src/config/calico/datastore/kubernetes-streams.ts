/** What the API server streams, cut into single objects: the lines of a watch, and the items of a list whose whole is never held. */

/** A line or item longer than this is skipped: etcd, where all of it is kept, takes no more than 1.5 MiB. */
const MAX_OBJECT = 4 * 1024 * 1024;
/** Of what stands around the items of a list. */
const MAX_ENVELOPE = 256 * 1024;

/** A piece of JSON, or `undefined` for one that was too long. */
export type Receive = (text: string | undefined) => void;

/** Octets that may come in any portions, gathered to the end of a piece; too many of them are dropped, and said. */
class Gathered {
  #parts: Buffer[] = [];
  #length = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(part: Buffer): void {
    this.#length += part.length;
    if (this.#length > this.#limit) this.#parts = [];
    else if (part.length > 0) this.#parts.push(part);
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  take(): string | undefined {
    const text = this.#length > this.#limit ? undefined : Buffer.concat(this.#parts).toString("utf8");
    this.#parts = [];
    this.#length = 0;
    return text;
  }
}

/** The events of a watch: one a line. */
export class LineSplitter {
  readonly #line: Gathered;
  readonly #receive: Receive;

  constructor(receive: Receive, limit = MAX_OBJECT) {
    this.#receive = receive;
    this.#line = new Gathered(limit);
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#line.add(chunk.subarray(start, end));
      start = end + 1;
      if (!this.#line.isEmpty) this.#receive(this.#line.take());
    }
    this.#line.add(chunk.subarray(start));
  }
}

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** How deep an item's own brace stands: in the array `items` of the list. */
const ITEM_DEPTH = 3;

/**
 * The items of a list. A list of 5000 nodes is 75 MB of JSON: parsed as one it would hold the event loop for a second and
 * memory for several times its size. So braces are counted, and each item is parsed when its own has closed.
 */
export class ListSplitter {
  readonly #receive: Receive;
  readonly #item: Gathered;
  /** The list without its items, which is a JSON document again. */
  #envelope = "";
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** The array at depth 2 is `items`. */
  #isInItems = false;

  constructor(receive: Receive, limit = MAX_OBJECT) {
    this.#receive = receive;
    this.#item = new Gathered(limit);
  }

  /** Throws a RangeError for what cannot be a list. */
  push(chunk: Buffer): void {
    // Where what has not been handed on yet begins.
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const octet = chunk[at] as number;
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (octet === BACKSLASH) this.#isEscaped = true;
        else if (octet === QUOTE) this.#isInString = false;
      } else if (octet === QUOTE) this.#isInString = true;
      else if (octet === OPEN_BRACE || octet === OPEN_BRACKET) {
        this.#depth++;
        if (this.#isInItems ? this.#depth === ITEM_DEPTH : this.#depth === 2 && octet === OPEN_BRACKET) {
          // Commas between items stand for nothing.
          if (!this.#isInItems) this.#outside(chunk, start, at + 1);
          start = this.#isInItems ? at : at + 1;
          this.#isInItems ||= /"items"\s*:\s*\[$/.test(this.#envelope);
        }
      } else if (octet === CLOSE_BRACE || octet === CLOSE_BRACKET) {
        this.#depth--;
        if (this.#isInItems && this.#depth === 2) {
          this.#item.add(chunk.subarray(start, at + 1));
          start = at + 1;
          this.#receive(this.#item.take());
        } else if (this.#isInItems && this.#depth === 1) {
          this.#isInItems = false;
          start = at;
        }
      }
    }
    if (!this.#isInItems) this.#outside(chunk, start, chunk.length);
    else if (this.#depth >= ITEM_DEPTH) this.#item.add(chunk.subarray(start));
  }

  /** What stood around the items: kind, metadata with resourceVersion and continue. Throws a RangeError if the list broke off. */
  end(): unknown {
    if (this.#depth !== 0 || this.#envelope === "") throw new RangeError("the list breaks off in the middle");
    try {
      return JSON.parse(this.#envelope);
    } catch {
      throw new RangeError("the list is not JSON");
    }
  }

  #outside(chunk: Buffer, start: number, end: number): void {
    // Split characters need no care: what is read of the envelope is ASCII.
    this.#envelope += chunk.toString("latin1", start, end);
    if (this.#envelope.length > MAX_ENVELOPE) throw new RangeError("the list has much beside its items: is it one?");
  }
}
