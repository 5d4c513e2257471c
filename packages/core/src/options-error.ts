/** The options of a group contradict each other, or what its protocol needs: see the message. */
export class OptionsError extends RangeError {
  override readonly name: string = 'OptionsError';
}
