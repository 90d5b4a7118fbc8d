/**
 * Loaded into VS Code's extension host before its own code: gives it what it finds in the desktop's process, a message port to
 * its window. Here the messages go by way of the process that started it.
 */
const port = {
  on(event, listener) {
    if (event === 'message') process.on('message', (base64) => listener({ data: Buffer.from(base64, 'base64') }));
  },
  start() {},
  postMessage(data) {
    process.send(Buffer.from(data).toString('base64'));
  },
};
process.parentPort = { on: (event, listener) => listener({ ports: [port] }) };
process.on('disconnect', () => process.exit());

// VS Code's own measuring points, which would read a clock of whole milliseconds.
const marks = [];
globalThis.MonacoPerformanceMarks = {
  mark: (name) => void marks.push({ name, startTime: performance.now() }),
  clearMarks() {},
  getMarks: () => marks,
};
