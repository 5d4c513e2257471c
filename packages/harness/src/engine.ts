/** Name and version of what runs, in traces and results: traces of another engine are not replayed. */
export const engine = 'quorumlab 0.1.0';
