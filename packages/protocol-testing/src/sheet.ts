/**
 * A text that a test keeps, compared as it comes: what differs is seen where it first does, and
 * nothing after it is worked out in vain.
 */
export class Sheet {
  readonly #lines: string[] = [];
  readonly #kept: readonly string[] | undefined;

  /** `kept` is the text as it was; nothing: any will do. */
  constructor(kept?: string) {
    this.#kept = kept?.split('\n');
  }

  /** The next lines. Throws at the first one that is not the one that is kept. */
  write(...lines: readonly string[]): void {
    for (const line of lines.flatMap((each) => each.split('\n'))) {
      const at = this.#lines.push(line);
      const before = this.#kept?.[at - 1];
      if (this.#kept === undefined || line === before) continue;
      const last = this.#lines.slice(-6, -1).map((each) => `  ${each}`);
      const both = [`- ${before ?? 'nothing'}`, `+ ${line}`];
      throw new Error([`line ${at} is not the one that is kept:`, ...last, ...both].join('\n'));
    }
  }

  /** All of it. Throws if more of it is kept. */
  get text(): string {
    const rest = this.#kept?.slice(this.#lines.length).join('\n') ?? '';
    if (rest !== '') throw new Error(`the kept text goes on: ${rest}`);
    return `${this.#lines.join('\n')}\n`;
  }
}
