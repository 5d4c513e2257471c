/** Name and version of what runs, in traces and results. Other engines' traces are not replayed. */
export const engine = 'quorumlab 0.1.0';
