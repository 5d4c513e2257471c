/** What traitors that know each other share: with which face each of them said what. */
import type { PrincipalId } from '@quorumlab/core';
import { fingerprint } from './fingerprint.ts';

/** Which of its two copies a traitor speaks with: the one for the first side, or the other. */
export type Face = 0 | 1;

/** Most statements and most vows that a coalition or one traitor remembers. */
export const remembered = 65_536;

/** What traitors of one run share: with which face each of them said what to the others. */
export interface Coalition {
  /** `from` has said `message` to a traitor with `face`. */
  note(from: PrincipalId, message: object, face: Face): void;
  /** The faces with which `from` said `message`; both if nobody remembers. */
  facesOf(from: PrincipalId, message: object): readonly Face[];
}

/** Both copies. */
export const both: readonly Face[] = [0, 1];

/** A coalition that has not said anything yet. */
export function coalition(): Coalition {
  const said = new Map<string, readonly Face[]>();
  const nameOf = (from: PrincipalId, message: object): string => `${from} ${fingerprint(message)}`;
  return {
    note(from, message, face) {
      const name = nameOf(from, message);
      const before = said.get(name);
      if (before === undefined) said.set(name, [face]);
      else if (!before.includes(face)) said.set(name, both);
      if (said.size > remembered) forgetOldest(said);
    },
    facesOf: (from, message) => said.get(nameOf(from, message)) ?? both,
  };
}

/** Makes room for one more in what is remembered. */
export const forgetOldest = (map: Map<string, unknown>): void => {
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
};
