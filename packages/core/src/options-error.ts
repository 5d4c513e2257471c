/** The options of a group contradict each other, or what its protocol needs: see the message. */
export class OptionsError extends RangeError {
  override readonly name: string = 'OptionsError';
}

/**
 * The option `name`, if it is an integer from `least` to `most`; throws {@link OptionsError}
 * otherwise.
 */
export function wholeOption(
  name: string,
  value: number,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  const above = most === Number.MAX_SAFE_INTEGER ? '' : ` and ${most} or less`;
  throw new OptionsError(`${name} is ${value}; use an integer of ${least} or more${above}`);
}
