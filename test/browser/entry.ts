/** Adds in the page; shows that arguments and results cross. */
export function add(a: number, b: number): number {
  return a + b;
}

/** True if the page may sign: WebCrypto exists only in a secure context. */
export function secure(): boolean {
  return globalThis.isSecureContext && crypto.subtle !== undefined;
}

/** Fails; shows that what is thrown in the page reaches the test. */
export function fail(): never {
  throw new RangeError('thrown in the page');
}
