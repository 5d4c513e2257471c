import {
  protocolOf,
  type Reached,
  reachable,
  type Subject,
  situationNames,
} from '@quorumlab/harness';

/** How often each rare situation was reached, a column per subject; `-`: it has none of these. */
export function reachedTable(
  subjects: readonly Subject[],
  reached: ReadonlyMap<string, Reached>,
): readonly string[] {
  const shown = subjects.filter(({ name }) => reached.has(name));
  if (shown.length === 0) return [];
  const columns = shown.map(({ name, protocol }) => {
    const own = reachable(protocolOf(protocol));
    const cells = situationNames.map((each) => {
      const none = own.includes(each) ? 0 : '-';
      return `${reached.get(name)?.[each] ?? none}`;
    });
    return [name, ...cells];
  });
  const heads = ['reached', ...situationNames];
  const width = (cells: readonly string[]): number =>
    Math.max(...cells.map(({ length }) => length));
  return heads.map((head, row) =>
    [
      head.padEnd(width(heads)),
      ...columns.map((cells) => (cells[row] as string).padStart(width(cells))),
    ].join('  '),
  );
}
