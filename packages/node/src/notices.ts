import type { Logger } from './logging.ts';

/** How severe a notice is. */
export type NoticeLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a record says beside its sentence; `peer` and `reason` tell records of one kind apart. */
export interface NoticeFields {
  readonly peer?: number;
  readonly reason?: string;
  readonly [field: string]: unknown;
}

/** Lines of one kind, peer and reason in one period; further ones are only counted. */
const LINES_PER_PERIOD = 5;
const PERIOD_MS = 10_000;
/** Kinds, peers and reasons told apart in a period: peers choose some of them. */
const MAX_KEYS = 1024;

interface Held {
  readonly level: NoticeLevel;
  readonly text: string;
  lines: number;
  suppressed: number;
  fields: NoticeFields;
}

/**
 * A log for what others can cause as often as they like. Some lines of each kind, peer and reason
 * are written at once; what is more in a period is one line when it ends, with how many it is.
 */
export class Notices {
  readonly #logger: Logger;
  readonly #periodMs: number;
  readonly #held = new Map<string, Held>();
  #timer: NodeJS.Timeout | undefined;

  constructor(logger: Logger, periodMs: number = PERIOD_MS) {
    this.#logger = logger;
    this.#periodMs = periodMs;
  }

  /** Writes a record, or counts it. */
  note(level: NoticeLevel, fields: NoticeFields, text: string): void {
    const held = this.#heldOf(level, fields, text);
    if (held.lines < LINES_PER_PERIOD) {
      held.lines++;
      this.#logger[level](fields, text);
      return;
    }
    held.suppressed++;
    held.fields = fields;
  }

  /** Writes what was held back, and stops. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#tell();
  }

  #heldOf(level: NoticeLevel, fields: NoticeFields, text: string): Held {
    const key = `${text} ${fields.peer} ${fields.reason}`;
    const known = this.#held.get(key) ?? (this.#held.size < MAX_KEYS ? undefined : this.#rest());
    if (known !== undefined) return known;
    if (this.#held.size === 0) {
      this.#timer = setTimeout(() => this.#tell(), this.#periodMs);
      this.#timer.unref();
    }
    const held: Held = { level, text, lines: 0, suppressed: 0, fields };
    this.#held.set(key, held);
    return held;
  }

  /** Where everything is counted that came after {@link MAX_KEYS} others. */
  #rest(): Held {
    const text = 'More kinds of records than are told apart were held back.';
    const rest = this.#held.get('') ?? {
      level: 'warn',
      text,
      lines: LINES_PER_PERIOD,
      suppressed: 0,
      fields: {},
    };
    this.#held.set('', rest);
    return rest;
  }

  #tell(): void {
    for (const { level, text, suppressed, fields } of this.#held.values()) {
      if (suppressed > 0) this.#logger[level]({ ...fields, suppressed }, text);
    }
    this.#held.clear();
  }
}
