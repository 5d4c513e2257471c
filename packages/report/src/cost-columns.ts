/** What is shown of the cost of a commit, by every reporter. */
import type { SteadyCostRow } from './result.ts';

/** A column of the table of costs. */
export interface CostColumn {
  readonly title: string;
  readonly value: (cost: SteadyCostRow) => number | undefined;
  readonly text: (cost: SteadyCostRow) => string;
}

const column = (title: string, value: CostColumn['value']): CostColumn => ({
  title,
  value,
  text(cost) {
    const number = value(cost);
    return number === undefined ? 'none' : short(number);
  },
});

/** At most two decimals; thousands grouped. */
export function short(value: number): string {
  const [whole = '', part] = String(Math.round(value * 100) / 100).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return part === undefined ? grouped : `${grouped}.${part}`;
}

/** The columns, in their order. */
export const costColumns: readonly CostColumn[] = [
  column('messages', (cost) => cost.messagesPerCommit),
  column('bytes', (cost) => Math.round(cost.bytesPerCommit)),
  column('signatures made', (cost) => cost.signaturesPerCommit),
  column('signatures checked', (cost) => cost.verificationsPerCommit),
  column('disk syncs', (cost) => cost.syncsPerCommit),
  column('delays to decide', (cost) => cost.delaysToDecision),
  column('delays to reply', (cost) => cost.delaysToReply),
  column('busiest replica sends', (cost) => cost.busiest.messages),
  column('new leader ms', (cost) => cost.replacement?.milliseconds),
  column('new leader messages', (cost) => cost.replacement?.messages),
];
