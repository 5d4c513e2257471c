/** `n1` or `n1 and n2` or `n1, n2 and n3`. */
export const named = (nodes: readonly number[]): string => {
  const names = nodes.map((node) => `n${node}`);
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
};
