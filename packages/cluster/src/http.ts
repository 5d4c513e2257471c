/**
 * Node's HTTP. Whoever imports it has all that it exports read at once, a getter among them that
 * loads a browser's whole network stack: 40 ms of each process that starts. Taken by its name, it
 * loads what is used (decision 184).
 */
export const http: typeof import('node:http') = process.getBuiltinModule('node:http');
